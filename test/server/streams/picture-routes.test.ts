// Snapshots and live views: the right frame, the right colours, and no more pictures than the viewer takes.
import sharp from "sharp";
import { describe, expect, test, vi } from "vitest";
import { HeldEncoder } from "../../support/held-encoder.ts";
import { Multipart } from "../../support/multipart.ts";
import { RED } from "../../support/scripted-pipeline.ts";
import { jsonOf, withApp, withServer } from "../../support/test-server.ts";

async function middle(jpeg: Uint8Array | ArrayBuffer): Promise<{ width: number; height: number; rgb: number[] }> {
  const { data, info } = await sharp(jpeg).raw().toBuffer({ resolveWithObject: true });
  const at = (Math.floor(info.height / 2) * info.width + Math.floor(info.width / 2)) * 3;
  return { width: info.width, height: info.height, rgb: [...data.subarray(at, at + 3)] };
}

describe("snapshot.jpg", () => {
  test("is the newest detected frame in its colours, with its number and time", async () => {
    await withApp({}, async ({ ask, pipeline }) => {
      pipeline.addStream("cam");
      pipeline.show("cam");
      pipeline.show("cam", [], RED);
      const answer = await ask("/v1/streams/cam/snapshot.jpg");
      expect(Object.fromEntries(answer.headers)).toMatchObject({
        "content-type": "image/jpeg",
        "x-multibox-seq": "1",
        "x-multibox-pts": "0.04",
        "cache-control": "no-store",
      });
      const { width, height, rgb } = await middle(await answer.arrayBuffer());
      expect([width, height]).toEqual([320, 180]);
      expect([rgb[0]! > 245, rgb[1]! < 10, rgb[2]! < 10]).toEqual([true, true, true]);
      const small = await ask("/v1/streams/cam/snapshot.jpg?width=100");
      expect(await middle(await small.arrayBuffer())).toMatchObject({ width: 100, height: 56 });
    });
  });

  test("is encoded once for all who ask at the same time, and waits for its turn", async () => {
    const jpeg = new HeldEncoder();
    await withApp({ jpeg }, async ({ ask, pipeline }) => {
      pipeline.addStream("cam");
      pipeline.show("cam");
      // Requests pass the guards in their order, so those before have come to the encoder when a later one is answered.
      const first = [1, 2, 3].map(() => ask("/v1/streams/cam/snapshot.jpg?width=64"));
      await ask("/v1/streams");
      pipeline.show("cam");
      const later = ask("/v1/streams/cam/snapshot.jpg?width=64");
      await ask("/v1/streams");
      jpeg.letGo();
      for (const answer of await Promise.all(first)) expect(answer.headers.get("x-multibox-seq")).toBe("0");
      await vi.waitFor(() => expect(jpeg.asked).toHaveLength(2));
      jpeg.letGo();
      expect((await later).headers.get("x-multibox-seq")).toBe("1");
      expect((await ask("/v1/streams/cam/snapshot.jpg?width=64")).status).toBe(200);
      expect(jpeg.asked).toEqual([64, 64]);
      expect(pipeline.pool.lent).toBe(1);
    });
  });

  test("of no stream, before the first frame, or with a senseless width is refused", async () => {
    await withApp({}, async ({ ask, pipeline }) => {
      pipeline.addStream("cam");
      const code = async (path: string): Promise<[number, string]> => {
        const answer = await ask(`/v1/streams/${path}`);
        return [answer.status, String((await jsonOf(answer))["code"])];
      };
      expect(await code("nobody/snapshot.jpg")).toEqual([404, "STREAM_UNKNOWN"]);
      expect(await code("cam/snapshot.jpg")).toEqual([503, "STREAM_NO_FRAME"]);
      expect(await code("cam/snapshot.jpg?width=9")).toEqual([400, "BAD_REQUEST"]);
      expect(await code("cam/live.mjpeg?width=wide")).toEqual([400, "BAD_REQUEST"]);
      expect(await code("nobody/live.mjpeg")).toEqual([404, "STREAM_UNKNOWN"]);
    });
  });
});

describe("live.mjpeg", () => {
  test("begins with the newest frame, goes on with each, and ends with the stream", async () => {
    await withServer({}, async ({ url, pipeline }) => {
      pipeline.addStream("cam");
      pipeline.show("cam", [], RED);
      const answer = await fetch(`${url}v1/streams/cam/live.mjpeg?width=160`);
      expect(answer.headers.get("content-type")).toBe("multipart/x-mixed-replace; boundary=multibox");
      const view = new Multipart(answer);
      const first = await view.next();
      expect(first?.headers.get("x-multibox-seq")).toBe("0");
      const { width, rgb } = await middle(first!.body);
      expect([width, rgb[0]! > 245, rgb[1]! < 10]).toEqual([160, true, true]);
      for (const seq of [1, 2]) {
        pipeline.show("cam");
        expect(await view.seq()).toBe(seq);
      }
      await pipeline.remove("cam");
      expect(await view.next()).toBeUndefined();
      expect(pipeline.pool.lent).toBe(0);
    });
  });

  test("a viewer that does not take its picture gets none older, and costs no encoding", async () => {
    const jpeg = new HeldEncoder();
    await withApp({ jpeg }, async ({ ask, pipeline }) => {
      pipeline.addStream("cam");
      const view = new Multipart(await ask("/v1/streams/cam/live.mjpeg"));
      const other = new Multipart(await ask("/v1/streams/cam/live.mjpeg"));
      pipeline.show("cam");
      jpeg.letGo();
      expect(await other.seq()).toBe(0);
      for (let i = 1; i < 10; i++) {
        pipeline.show("cam");
        jpeg.letGo();
        expect(await other.seq()).toBe(i);
      }
      expect(await view.seq()).toBe(0);
      jpeg.letGo();
      // It missed eight, and is shown the newest without a new one having come.
      expect(await view.seq()).toBe(9);
      expect(jpeg.asked).toHaveLength(10);
      await Promise.all([view.cancel(), other.cancel()]);
      pipeline.show("cam");
      expect(jpeg.asked).toHaveLength(10);
    });
  });

  test("a viewer who comes before the first frame is answered at once, and one who leaves is no longer served", async () => {
    await withServer({}, async ({ url, pipeline }) => {
      pipeline.addStream("cam");
      const before = pipeline.observers;
      const leaving = new AbortController();
      const view = new Multipart(await fetch(`${url}v1/streams/cam/live.mjpeg`, { signal: leaving.signal }));
      expect(pipeline.observers).toBe(before + 1);
      pipeline.show("cam");
      expect(await view.seq()).toBe(0);
      leaving.abort();
      while (pipeline.observers > before) await new Promise(setImmediate);
    });
  });

  test("asking for its head alone leaves nothing running", async () => {
    const jpeg = new HeldEncoder();
    await withApp({ jpeg }, async ({ ask, pipeline }) => {
      pipeline.addStream("cam");
      const answer = await ask("/v1/streams/cam/live.mjpeg", { method: "HEAD" });
      expect([answer.status, answer.headers.get("content-type")?.split(";")[0]]).toEqual([
        200,
        "multipart/x-mixed-replace",
      ]);
      pipeline.show("cam");
      expect(jpeg.asked).toEqual([]);
    });
  });
});
