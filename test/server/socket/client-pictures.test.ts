// WebSocket clients that want each frame's picture with its detections.
import sharp from "sharp";
import { expect, test } from "vitest";
import { HeldEncoder } from "../../support/held-encoder.ts";
import { found, RED } from "../../support/scripted-pipeline.ts";
import { SocketClient } from "../../support/socket-client.ts";
import { withServer } from "../../support/test-server.ts";

test("each frame comes with its own JPEG, and its buffer goes back to the pool", async () => {
  await withServer({ script: { width: 320, height: 180 } }, async ({ socketUrl, pipeline }) => {
    pipeline.addStream("a");
    const client = await SocketClient.open(socketUrl);
    await client.ask({ type: "subscribe", streams: ["a"], pictures: 160 });
    pipeline.show("a", [found("red", 0.9)], RED);
    const { jpeg, width, detections, dropped } = await client.untilSeq(0);
    expect([width, detections.length, dropped]).toEqual([320, 1, 0]);
    const { data, info } = await sharp(jpeg).raw().toBuffer({ resolveWithObject: true });
    expect([info.width, info.height]).toEqual([160, 90]);
    expect([data[0]! > 245, data[1]! < 10, data[2]! < 10]).toEqual([true, true, true]);
    // The newest frame alone is kept, for snapshots.
    expect(pipeline.pool.lent).toBe(1);
  });
});

test("when the encoder is behind, pictures skip frames and say so, while plain clients get every one", async () => {
  const jpeg = new HeldEncoder();
  await withServer({ script: { poolSize: 3 }, jpeg }, async ({ socketUrl, pipeline }) => {
    pipeline.addStream("a");
    const [viewer, twin, small, plain] = await Promise.all(
      [160, 160, 80, undefined].map((width) => subscribed(socketUrl, width)),
    );
    const showTo = async (last: number): Promise<void> => {
      for (let seq = pipeline.counts("a").detected; seq <= last; seq++) {
        expect(pipeline.show("a")).toBe(true);
        await plain!.untilSeq(seq);
      }
    };
    await showTo(9);
    expect(jpeg.asked).toEqual([160, 80]);
    jpeg.letGo();
    await Promise.all([viewer, twin, small].map((client) => client!.untilSeq(0)));
    await showTo(12);
    jpeg.letGo();
    await Promise.all([viewer, twin, small].map((client) => client!.untilSeq(10)));
    expect(jpeg.asked).toEqual([160, 80, 160, 80]);
    for (const client of [viewer!, twin!, small!])
      expect(told(client)).toEqual([
        [0, 0],
        [10, 9],
      ]);
    expect(told(plain!)).toEqual(Array.from({ length: 13 }, (_, seq) => [seq, 0]));
    expect(pipeline.pool.lent).toBe(1);
  });
});

test("a picture that fails counts as missed, and one for an older subscription does not come after newer frames", async () => {
  const jpeg = new HeldEncoder();
  await withServer({ jpeg }, async ({ socketUrl, pipeline }) => {
    pipeline.addStream("a");
    const client = await subscribed(socketUrl, 160);
    pipeline.show("a");
    await client.ask({ type: "subscribe", streams: ["*"], pictures: 80 });
    pipeline.show("a");
    jpeg.letNewestGo();
    await client.untilSeq(1);
    jpeg.letGo();
    // Let go in a microtask, done in another thread, and only then known to the client's outbox.
    await Promise.resolve();
    await jpeg.lastLetGo;
    pipeline.show("a");
    jpeg.fail(new Error("frame 2 cannot be encoded"));
    await client.ask({ type: "unsubscribe", streams: ["nobody"] });
    pipeline.show("a");
    jpeg.letGo();
    await client.untilSeq(3);
    // Frame 0 was for the older subscription, frame 2 failed.
    expect(told(client)).toEqual([
      [1, 0],
      [3, 2],
    ]);
  });
});

test("a picture that is ready when its stream is gone is not sent, so that the books of the next one by that name are right", async () => {
  const jpeg = new HeldEncoder();
  await withServer({ jpeg }, async ({ socketUrl, pipeline }) => {
    pipeline.addStream("a");
    const client = await subscribed(socketUrl, 160);
    pipeline.show("a");
    // The encoder is behind: this one is missed, and nobody is there any more to be told.
    pipeline.show("a");
    await pipeline.remove("a");
    await client.until((message) => message.type === "stream" && message.state === "removed");
    pipeline.addStream("a");
    jpeg.letGo();
    await Promise.resolve();
    await jpeg.lastLetGo;
    await client.ask({ type: "unsubscribe", streams: ["nobody"] });
    pipeline.show("a", [found("red", 0.9)]);
    jpeg.letGo();
    await client.until((message) => message.type === "detections" && message.detections.length > 0);
    expect(client.detections().map(({ detections, dropped }) => [detections.length, dropped])).toEqual([[1, 0]]);
  });
});

async function subscribed(url: string, pictures?: number): Promise<SocketClient> {
  const client = await SocketClient.open(url);
  await client.ask({ type: "subscribe", streams: ["*"], ...(pictures && { pictures }) });
  return client;
}

function told(client: SocketClient): [seq: number, dropped: number][] {
  return client.detections().map(({ seq, dropped }) => [seq, dropped]);
}
