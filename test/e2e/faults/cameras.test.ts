// Cameras drop, stall, lie and come back, many at once on one server: each recovers by itself, and one that is well notices nothing.
import { setTimeout as sleep } from "node:timers/promises";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectUnharmed, withFaultyStream, type FaultyStream } from "../../support/faulty-stream.ts";
import { startMultibox, type Multibox } from "../../support/multibox.ts";
import { childrenOf, isRunning, until } from "../../support/processes.ts";

/** Longer than a busy machine needs to open several cameras. */
const STALL_SECONDS = 8;
/** A stall, the longest back-off, and a busy machine; nothing is measured but by this limit. */
const timeout = 150_000;
const transports = ["tcp", "udp"] as const;
const auth = { user: "admin", password: "p@ss:w/rd%#1" };

let multibox: Multibox;
/** Beside all that fail. */
let healthy: Promise<void>;
let well: FaultyStream;
let over!: () => void;

beforeAll(async () => {
  multibox = await startMultibox(["--no-demo", "--stall-seconds", String(STALL_SECONDS)]);
  await new Promise<void>((resolve, reject) => {
    healthy = withFaultyStream(multibox, { id: "well" }, async (stream) => {
      const { since } = await stream.becomes("live");
      well = stream;
      resolve();
      await new Promise<void>((done) => (over = done));
      await expectUnharmed(stream, since);
    });
    healthy.catch(reject);
  });
});

afterAll(async () => {
  const children = childrenOf(multibox.pid);
  await multibox.stop();
  await until(() => !children.some(isRunning));
});

describe.concurrent("a camera", { timeout }, () => {
  it.each(transports)("that drops its connections is back at once, over %s", async (transport) => {
    await withFaultyStream(multibox, { id: `drops-${transport}`, transport }, async (stream) => {
      await stream.becomes("live");
      for (let i = 0; i < 2; i++) {
        await stream.detects(3);
        stream.camera.dropClients();
        // Over UDP the loss of the control connection may pass unnoticed but for the silence.
        const { error } = await Promise.any([stream.becomes("retrying"), stream.becomes("stalled")]);
        expect(error?.code).toMatch(/^STREAM_/);
        await stream.becomes("live");
      }
    });
  });

  it.each(transports)("that falls silent with its connection open is stalled, over %s", async (transport) => {
    await withFaultyStream(multibox, { id: `silent-${transport}`, transport }, async (stream) => {
      await stream.becomes("live");
      await stream.detects(3);
      stream.camera.stall();
      await stream.becomes("stalled", "STREAM_STALLED");
      expect(await stream.info()).toMatchObject({ state: "stalled", error: { code: "STREAM_STALLED" } });
      stream.camera.resume();
      await stream.becomes("live");
    });
  });

  it("that takes a connection and never answers is stalled, and is live when it answers", async () => {
    await withFaultyStream(multibox, { id: "half-open" }, async (stream) => {
      await stream.becomes("live");
      stream.camera.hang();
      stream.camera.dropClients();
      await stream.becomes("stalled", "STREAM_STALLED");
      expect(stream.camera.requests.at(-1)).toMatch(/unanswered$/);
      stream.camera.resume();
      await stream.becomes("live");
    });
  });

  it("with another password is misconfigured, and live once it is right", async () => {
    const url = (camera: FaultyStream["camera"]): string =>
      camera.url("/cam1").replace("://", `://${auth.user}:${auth.password}@`);
    const options = { id: "password", auth: { ...auth, password: "another" }, url };
    await withFaultyStream(multibox, options, async (stream) => {
      const event = await stream.becomes("misconfigured", "STREAM_AUTH_FAILED");
      expect(await stream.info()).toMatchObject({ state: "misconfigured", error: event.error });
      stream.camera.setPassword(auth.password);
      await stream.becomes("live");
      for (const secret of [auth.password, encodeURIComponent(auth.password), "p@ss", "w/rd"]) {
        expect(multibox.stderr + JSON.stringify(stream.client.messages)).not.toContain(secret);
      }
    });
  });

  it("without this path is misconfigured, and live once it has it", async () => {
    const options = { id: "path", url: (camera: FaultyStream["camera"]) => camera.url("/yard") };
    await withFaultyStream(multibox, options, async (stream) => {
      await stream.becomes("misconfigured", "STREAM_NOT_FOUND");
      expect(await stream.info()).toMatchObject({ state: "misconfigured", error: { code: "STREAM_NOT_FOUND" } });
      await stream.camera.change("/yard", { fps: 5 });
      await stream.becomes("live");
    });
  });

  it.each(["640x360", "240x320"])("whose pictures become %s is detected in these", async (size) => {
    await withFaultyStream(multibox, { id: `becomes-${size}` }, async (stream) => {
      await stream.becomes("live");
      await stream.detects(3);
      await stream.camera.change("/cam1", { size, fps: 5 });
      await stream.becomes("retrying", "STREAM_CHANGED");
      await stream.becomes("live");
      await stream.detects(3);
      const [width, height] = size.split("x").map(Number);
      expect(await stream.info()).toMatchObject({ width, height });
      expect(stream.client.detections().at(-1)).toMatchObject({ width, height });
    });
  });

  it("that sends B-frames is detected in the order in which they are shown", async () => {
    await withFaultyStream(
      multibox,
      { id: "b-frames", paths: { "/cam1": { fps: 10, bFrames: 3 } } },
      async (stream) => {
        await stream.becomes("live");
        await stream.detects(60);
        expect(smallestStep(stream)).toBeGreaterThan(0.01);
      },
    );
  });

  it("that is joined in mid-sentence begins with a whole picture", async () => {
    const options = { startAnywhere: true, paths: { "/cam1": { fps: 5, keySeconds: 2 } }, pictures: true };
    await withFaultyStream(multibox, { id: "midst", ...options }, async (stream) => {
      await stream.detects(1);
      stream.camera.dropClients();
      await stream.detects(12);
      const pictures = stream.client.detections().flatMap(({ jpeg }) => jpeg ?? []);
      const pixels = await Promise.all(pictures.map((jpeg) => sharp(jpeg).removeAlpha().raw().toBuffer()));
      // The test picture hardly moves; what a decoder shows before it has a key frame is another picture altogether.
      for (const picture of pixels) expect(meanDifference(picture, pixels.at(-1)!)).toBeLessThan(30);
    });
  });

  it.each(transports)(
    "on a line that loses, garbles and adds bytes is back when that is over, over %s",
    async (transport) => {
      await withFaultyStream(multibox, { id: `garbage-${transport}`, transport }, async (stream) => {
        await stream.becomes("live");
        stream.camera.disturb(0.1, 7);
        await sleep(15_000);
        stream.camera.disturb(0);
        await stream.detects(20);
        expect((await stream.info()).state).toBe("live");
      });
    },
  );

  it("whose ffmpeg is killed has another one", async () => {
    await withFaultyStream(multibox, { id: "killed" }, async (stream) => {
      await stream.becomes("live");
      await stream.detects(3);
      const [victim, ...more] = stream.ffmpegs();
      expect(more).toEqual([]);
      process.kill(victim!, "SIGKILL");
      await stream.becomes("retrying", "FFMPEG_DIED");
      await stream.becomes("live");
      await stream.detects(1);
      expect(stream.ffmpegs()).toHaveLength(1);
    });
  });

  it("whose clock jumps and overflows goes on, with times that rise", async () => {
    await withFaultyStream(multibox, { id: "clock" }, async (stream) => {
      const { since } = await stream.becomes("live");
      await stream.detects(25);
      for (const seconds of [-3, 3600, -7200]) {
        stream.camera.jump(seconds);
        await stream.detects(10);
      }
      expect(smallestStep(stream)).toBeGreaterThan(0.01);
      expect((await stream.info()).since).toBe(since);
    });
  });

  it("that is off for 30 s is unreachable meanwhile, and live afterwards", async () => {
    await withFaultyStream(multibox, { id: "outage" }, async (stream) => {
      await stream.becomes("live");
      await stream.detects(3);
      await stream.camera.stop();
      await sleep(30_000);
      expect(await stream.info()).toMatchObject({ state: "retrying", error: { code: "STREAM_UNREACHABLE" } });
      await stream.camera.start();
      await stream.becomes("live");
    });
  });
});

describe("a camera that is well beside these", () => {
  it("has lost nothing, and was not started again", async () => {
    expect(well.client.detections().length).toBeGreaterThan(0);
    over();
    await healthy;
  });
});

/** In seconds, from one detected frame to the next. */
function smallestStep(stream: FaultyStream): number {
  const times = stream.client.detections().map(({ pts }) => pts);
  const steps = times.slice(1).map((time, i) => time - times[i]!);
  return Math.min(...steps);
}

function meanDifference(a: Buffer, b: Buffer): number {
  expect(a.length).toBe(b.length);
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs(a[i]! - b[i]!);
  return sum / a.length;
}
