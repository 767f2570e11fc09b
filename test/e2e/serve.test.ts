// `multibox serve` as its users meet it: the demo, streams of files over the API, pictures, filters, and books that close.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { StreamInfo } from "../../src/server/protocol.ts";
import { demoClip } from "../../src/demo-clip.ts";
import { best, iou } from "../support/boxes.ts";
import { ffmpeg, frameTimes, hasFfprobe, makeFolder, turnQuarter } from "../support/ffmpeg.ts";
import { testCacheDir } from "../support/model.ts";
import { gapOf, startMultibox, withMultibox, type Multibox } from "../support/multibox.ts";
import { Multipart } from "../support/multipart.ts";
import { processesWith } from "../support/processes.ts";

/** In every ffmpeg, and good enough for a detector. */
const ENCODE = "-c:v mpeg4 -q:v 3 -pix_fmt yuv420p";
/** A car in the lower left quarter of 1280 x 720. */
const CORNER = "scale=640:360,pad=1280:720:40:300:gray";

let folder: Awaited<ReturnType<typeof makeFolder>>;
let demo: string;
let multibox: Multibox;
const file = (name: string): string => join(folder.path, name);

beforeAll(async () => {
  folder = await makeFolder();
  demo = await demoClip(testCacheDir());
  // Times without a rhythm: four frames of seven are kept.
  await ffmpeg(`-i`, demo, `-t 3 -vf select=lt(mod(n\\,7)\\,4) -vsync vfr ${ENCODE}`, file("uneven.mp4"));
  multibox = await startMultibox(["--file-roots", folder.path]);
});
afterAll(async () => {
  await multibox?.stop();
  await folder.remove();
});

describe("multibox serve with nothing configured", () => {
  it("says in one line of JSON where it is and what it runs", async () => {
    const { ready } = multibox;
    expect(ready).toMatchObject({
      url: `http://127.0.0.1:${ready.port}/`,
      detections: `ws://127.0.0.1:${ready.port}/v1/detections`,
      model: { name: "ssdlite-mobilenet-v2" },
      streams: [{ id: "demo" }],
    });
    expect(ready.engine).toMatch(/^onnx:cpu/);
    expect(multibox.stdout.trim().split("\n")).toHaveLength(1);
    const answer = await multibox.ask("/health/ready");
    expect([answer.status, await answer.json()]).toMatchObject([200, { status: "ready", engine: ready.engine }]);
  });

  it("sends a client that subscribes to the demo a car with a score over 0.5", async () => {
    const client = await multibox.connect("demo");
    const found = await client.until(
      (m) => m.type === "detections" && m.detections.some(({ label, score }) => label === "car" && score > 0.5),
    );
    expect(found).toMatchObject({ stream: "demo", width: 1280, height: 720, dropped: 0 });
    client.socket.close();
  });

  it("sends only the labels and scores that were asked for", async () => {
    const [all, some] = [await multibox.connect("demo"), await multibox.connect()];
    const filter = { labels: ["person", "truck"], minScore: 0.7 };
    expect(await some.ask({ type: "subscribe", streams: ["*"], ...filter })).toMatchObject({ ok: true });
    await some.until((m) => m.type === "detections" && m.detections.length > 0);
    const wanted = some.detections();
    await all.untilSeq(wanted.at(-1)!.seq);
    for (const { seq, detections } of wanted) {
      const same = all.detections().find((message) => message.seq === seq);
      if (!same) continue;
      const kept = same.detections.filter(({ label, score }) => filter.labels.includes(label) && score >= 0.7);
      expect(detections).toEqual(kept);
    }
    expect(all.detections().some(({ detections }) => detections.some(({ label }) => label === "car"))).toBe(true);
    for (const { socket } of [all, some]) socket.close();
  });

  it("gives a snapshot that decodes, whole or as wide as asked", async () => {
    const size = async (path: string): Promise<[string | undefined, number, number]> => {
      const answer = await multibox.ask(path);
      const { format, width, height } = await sharp(Buffer.from(await answer.arrayBuffer())).metadata();
      return [format, width, height];
    };
    expect(await size("/v1/streams/demo/snapshot.jpg")).toEqual(["jpeg", 1280, 720]);
    expect(await size("/v1/streams/demo/snapshot.jpg?width=320")).toEqual(["jpeg", 320, 180]);
  });

  it("shows it live as JPEG after JPEG", async () => {
    const view = new Multipart(await multibox.ask("/v1/streams/demo/live.mjpeg?width=320"));
    const seqs: number[] = [];
    for (let i = 0; i < 4; i++) {
      const { headers, body } = (await view.next())!;
      expect(await sharp(body).metadata()).toMatchObject({ format: "jpeg", width: 320, height: 180 });
      seqs.push(Number(headers.get("x-multibox-seq")));
    }
    await view.cancel();
    expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b));
  });

  it("sends a frame's own picture along where a client wants it", async () => {
    const client = await multibox.connect();
    await client.ask({ type: "subscribe", streams: ["demo"], pictures: 200 });
    const { jpeg } = await client.until((m) => m.type === "detections");
    expect(await sharp(jpeg).metadata()).toMatchObject({ format: "jpeg", width: 200 });
    client.socket.close();
  });
});

describe("a file that is played once", () => {
  const count = 44;

  it("is detected frame by frame, none twice, none dropped, and then ends", async () => {
    const { messages, info } = await playOnce("once", "uneven.mp4");
    expect(messages.map(({ seq }) => seq)).toEqual(Array.from({ length: count }, (_, i) => i));
    expect(messages.every(({ dropped }) => dropped === 0)).toBe(true);
    expect(info).toMatchObject({
      state: "ended",
      width: 1280,
      height: 720,
      counts: { decoded: count, detected: count, inFlight: 0, dropped: {} },
    });
    expect(info.error).toBeUndefined();
  });

  it.skipIf(!hasFfprobe)("has the times that ffprobe lists, to a millisecond (needs ffprobe)", async () => {
    const { messages } = await playOnce("timed", "uneven.mp4");
    const times = await frameTimes(file("uneven.mp4"));
    expect(messages).toHaveLength(times.length);
    for (const [i, { pts }] of messages.entries()) expect(Math.abs(pts - times[i]!)).toBeLessThan(0.001);
    const steps = new Set(times.slice(1).map((time, i) => Math.round((time - times[i]!) * 1000)));
    expect(steps.size).toBeGreaterThan(1);
  });

  it("has its boxes where they are in the upright picture when it is stored turned", async () => {
    await ffmpeg(`-ss 1.5 -i`, demo, `-frames:v 3 -vf ${CORNER} ${ENCODE}`, file("upright.mp4"));
    await ffmpeg(`-i`, file("upright.mp4"), `-vf transpose=cclock ${ENCODE}`, file("turned.mp4"));
    await turnQuarter(file("turned.mp4"));
    const upright = await carOf("upright");
    const turned = await carOf("turned");
    expect(turned).toMatchObject({ width: 1280, height: 720 });
    expect(upright.bbox[0] + upright.bbox[2] / 2).toBeLessThan(640);
    expect(iou(turned.bbox, upright.bbox)).toBeGreaterThan(0.8);
  });

  it("has its boxes in the pixels that are stored when these are not square", async () => {
    await ffmpeg(`-ss 1.5 -i`, demo, `-frames:v 3 -vf ${CORNER} ${ENCODE}`, file("square.mp4"));
    const wide = "scale=640:720,setsar=2";
    await ffmpeg(`-ss 1.5 -i`, demo, `-frames:v 3 -vf ${CORNER},${wide} ${ENCODE}`, file("wide.mp4"));
    const square = await carOf("square");
    const stored = await carOf("wide");
    expect(stored).toMatchObject({ width: 640, height: 720 });
    const [x, y, width, height] = stored.bbox;
    expect(iou([2 * x, y, 2 * width, height], square.bbox)).toBeGreaterThan(0.8);
  });

  async function carOf(name: string): Promise<{
    width: number;
    height: number;
    bbox: [number, number, number, number];
  }> {
    const { messages } = await playOnce(name, `${name}.mp4`);
    const { width, height, detections } = messages[0]!;
    const car = best(detections, "car")!;
    expect(car.score).toBeGreaterThan(0.5);
    return { width, height, bbox: car.bbox };
  }
});

describe("streams that come and go", () => {
  it("are served side by side at sizes of their own, odd ones too, and are gone when they are removed", async () => {
    const sizes = { small: [426, 240], odd: [321, 181] } as const;
    const client = await multibox.connect("*");
    for (const [id, [width, height]] of Object.entries(sizes)) {
      // Without chroma of their own, because that has no half pixels.
      await ffmpeg(`-i`, demo, `-t 2 -vf scale=${width}:${height} -c:v ffv1 -pix_fmt yuv444p`, file(`${id}.mkv`));
      const answer = await multibox.add({ id, url: file(`${id}.mkv`) });
      expect([answer.status, answer.headers.get("location")]).toEqual([201, `/v1/streams/${id}`]);
    }
    for (const [id, [width, height]] of Object.entries(sizes)) {
      const cars = await client.until<(typeof client.messages)[number] & { type: "detections" }>(
        (m) => m.type === "detections" && m.stream === id && best(m.detections, "car") !== undefined,
      );
      expect(cars).toMatchObject({ width, height });
      const [x, y, w, h] = best(cars.detections, "car")!.bbox;
      expect([x >= 0, y >= 0, x + w <= width, y + h <= height]).toEqual([true, true, true, true]);
    }
    for (const id of Object.keys(sizes)) {
      expect((await multibox.ask(`/v1/streams/${id}`, { method: "DELETE" })).status).toBe(204);
      await client.until((m) => m.type === "stream" && m.stream === id && m.state === "removed");
      expect((await multibox.ask(`/v1/streams/${id}`)).status).toBe(404);
      expect(processesWith(file(`${id}.mkv`))).toEqual([]);
    }
    client.socket.close();
  });

  it("have books that close at every moment, in the API and in the metrics", async () => {
    for (let i = 0; i < 20; i++) {
      for (const stream of await multibox.streams()) expect([stream.id, gapOf(stream)]).toEqual([stream.id, 0]);
    }
    const text = await (await multibox.ask("/metrics")).text();
    const sumOf = (name: string): number =>
      [...text.matchAll(new RegExp(`^multibox_${name}\\{stream="demo"[^}]*\\} (\\d+)$`, "gm"))].reduce(
        (sum, [, value]) => sum + Number(value),
        0,
      );
    const [decoded, detected, dropped, inFlight] = [
      "frames_decoded_total",
      "frames_detected_total",
      "frames_dropped_total",
      "frames_in_flight",
    ].map(sumOf) as [number, number, number, number];
    expect(detected).toBeGreaterThan(0);
    expect(decoded).toBe(detected + dropped + inFlight);
  });
});

describe("multibox serve with settings", () => {
  it("shows no demo where none is wanted", async () => {
    await withMultibox(["--no-demo"], async (bare) => {
      expect(bare.ready.streams).toEqual([]);
      expect(await bare.streams()).toEqual([]);
    });
  });

  it("takes them from a file, over that from the environment, and over that from flags", async () => {
    const config = { minScore: 0.9, maxBatch: 2, logLevel: "error", streams: [{ id: "yard", url: demo }] };
    await writeFile(file("multibox.yaml"), JSON.stringify(config));
    const args = ["--config", file("multibox.yaml"), "--min-score", "0.8"];
    await withMultibox(
      args,
      async (configured) => {
        expect(configured.ready.streams).toEqual([{ id: "yard", url: demo }]);
        const client = await configured.connect("yard");
        const { detections } = await client.until<{ type: "detections" } & (typeof client.messages)[number]>(
          (m) => m.type === "detections" && m.detections.some(({ score }) => score < 0.9),
        );
        for (const { score } of detections) expect(score).toBeGreaterThanOrEqual(0.8);
        // The environment said `info`.
        expect(configured.stderr).toContain("stream yard is live");
        client.socket.close();
      },
      { MULTIBOX_MIN_SCORE: "0.1", MULTIBOX_LOG_LEVEL: "info" },
    );
  });

  it("shows the streams that are given, several as well, instead of the demo", async () => {
    await withMultibox(["--stream", `one=${demo}`, "--stream", `two=${file("uneven.mp4")}`], async (two) => {
      expect(two.ready.streams).toEqual([
        { id: "one", url: demo },
        { id: "two", url: file("uneven.mp4") },
      ]);
      const client = await two.connect("*");
      await client.until((m) => m.type === "detections" && m.stream === "one");
      await client.until((m) => m.type === "detections" && m.stream === "two");
      client.socket.close();
    });
  });
});

/** Everything that a client hears of a file until that has ended. */
async function playOnce(
  id: string,
  name: string,
): Promise<{ messages: ReturnType<Awaited<ReturnType<Multibox["connect"]>>["detections"]>; info: StreamInfo }> {
  const client = await multibox.connect("*");
  const answer = await multibox.add({ id, url: file(name), loop: false });
  expect(answer.status).toBe(201);
  await client.until((m) => m.type === "stream" && m.stream === id && m.state === "ended");
  const messages = client.detections(id);
  client.socket.close();
  const info = (await multibox.streams()).find((stream) => stream.id === id)!;
  await multibox.ask(`/v1/streams/${id}`, { method: "DELETE" });
  return { messages, info };
}
