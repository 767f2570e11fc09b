// The pipeline as a whole, with a real ffmpeg and a detector that needs no network: every frame is accounted for.
import { firstValueFrom, filter, take, toArray } from "rxjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MultiboxError } from "../../src/errors.ts";
import type { Detected } from "../../src/pipeline/frame.ts";
import { createPipeline, type Pipeline } from "../../src/pipeline/pipeline.ts";
import type { StreamConfig, StreamCounts, StreamStatus } from "../../src/pipeline/stream.ts";
import { ffmpeg, LOSSLESS, makeFolder } from "../support/ffmpeg.ts";
import { processesWith, until } from "../support/processes.ts";
import { RedFinder } from "../support/red-finder.ts";

let folder: Awaited<ReturnType<typeof makeFolder>>;
let clip: string;

beforeAll(async () => {
  folder = await makeFolder();
  clip = `${folder.path}/red.mp4`;
  // A red square of 40 x 20 at (16, 24), 30 frames.
  await ffmpeg(`-f lavfi -i color=gray:s=128x96:r=25:d=1.2,drawbox=16:24:40:20:red:fill ${LOSSLESS}`, clip);
});
afterAll(() => folder.remove());

const OPTIONS = { maxDelayMs: 5, maxDecodeWidth: 1920, stallMs: 10_000 };

async function withPipeline(test: (pipeline: Pipeline, detector: RedFinder) => Promise<void>): Promise<void> {
  const detector = new RedFinder();
  const pipeline = createPipeline(detector, OPTIONS);
  try {
    await test(pipeline, detector);
  } finally {
    await pipeline.close();
  }
  expect(processesWith(folder.path)).toEqual([]);
}

const stream = (id: string, loop: boolean, url = clip): StreamConfig => ({ id, url, loop, transport: "tcp" });
const sum = ({ dropped }: StreamCounts): number => Object.values(dropped).reduce((total, count) => total + count, 0);
const stateIs = (pipeline: Pipeline, id: string, state: StreamStatus["state"]): Promise<StreamStatus> =>
  firstValueFrom(pipeline.statuses.pipe(filter((status) => status.config.id === id && status.state === state)));

const labelsOf = ({ detections }: Detected): string[] => detections.map(({ label }) => label);

describe("createPipeline", () => {
  it("detects every frame of a file that is played once, in order, and closes its books", async () => {
    await withPipeline(async (pipeline) => {
      const seen: Pick<Detected, "seq" | "detections">[] = [];
      const times: number[] = [];
      pipeline.detected.subscribe(({ seq, detections, frame }) => {
        seen.push({ seq, detections });
        times.push(frame.pts);
      });
      const ended = stateIs(pipeline, "file", "ended");
      pipeline.add(stream("file", false));
      await ended;
      expect(seen.map(({ seq }) => seq)).toEqual(Array.from({ length: 30 }, (_, i) => i));
      expect(times.map((pts) => Math.round(pts * 25))).toEqual(Array.from({ length: 30 }, (_, i) => i));
      expect(seen[29]!.detections[0]).toEqual({ label: "red", score: 0.9, classId: 1, bbox: [16, 24, 40, 20] });
      expect(pipeline.counts("file")).toEqual({ decoded: 30, detected: 30, inFlight: 0, dropped: {} });
      expect(pipeline.status("file")).toMatchObject({ state: "ended", size: { width: 128, height: 96 } });
    });
  });

  it("lets the newest frame of a live stream win while the detector is busy, and counts what it dropped", async () => {
    await withPipeline(async (pipeline, detector) => {
      let open = (): void => {};
      detector.gate = new Promise((resolve) => (open = resolve));
      pipeline.add(stream("live", true));
      await until(() => (pipeline.counts("live").dropped.superseded ?? 0) >= 3);
      const { decoded, detected, inFlight, dropped } = pipeline.counts("live");
      expect({ detected, inFlight }).toEqual({ detected: 0, inFlight: 2 });
      expect(decoded).toBe(inFlight + sum({ decoded, detected, inFlight, dropped }));
      const two = firstValueFrom(pipeline.detected.pipe(take(2), toArray()));
      open();
      const [first, second] = await two;
      expect([first!.seq, second!.seq]).toEqual([0, 1]);
      expect(second!.frame.index - first!.frame.index).toBeGreaterThan(3);
    });
  });

  it("counts the frames of a failed batch, warns, and goes on", async () => {
    const warnings: string[] = [];
    const detector = new RedFinder();
    const pipeline = createPipeline(detector, { ...OPTIONS, onWarning: ({ code }) => warnings.push(code) });
    try {
      detector.failure = new Error("broken");
      pipeline.add(stream("live", true));
      await until(() => (pipeline.counts("live").dropped.engine ?? 0) >= 2);
      detector.failure = undefined;
      await firstValueFrom(pipeline.detected);
      expect(warnings[0]).toBe("ENGINE_FAILED");
      const counts = pipeline.counts("live");
      expect(counts.decoded).toBe(counts.detected + counts.inFlight + sum(counts));
    } finally {
      await pipeline.close();
    }
  });

  it("serves several streams at once, and says when one is removed; a new one may have its name", async () => {
    await withPipeline(async (pipeline) => {
      pipeline.add(stream("a", true));
      pipeline.add(stream("b", true));
      await firstValueFrom(pipeline.detected.pipe(filter(({ frame }) => frame.stream === "a")));
      await firstValueFrom(pipeline.detected.pipe(filter(({ frame }) => frame.stream === "b")));
      expect(pipeline.list().map(({ config }) => config.id)).toEqual(["a", "b"]);
      const removed = firstValueFrom(pipeline.removed);
      await pipeline.remove("a");
      expect(await removed).toBe("a");
      pipeline.add(stream("a", true));
      const again = await firstValueFrom(pipeline.detected.pipe(filter(({ frame }) => frame.stream === "a")));
      expect(again.seq).toBe(0);
    });
  });

  it("changes what is kept of a stream without decoding anew, and its numbers go on", async () => {
    await withPipeline(async (pipeline) => {
      const told: StreamConfig[] = [];
      pipeline.configs.subscribe((config) => told.push(config));
      const states: string[] = [];
      pipeline.statuses.subscribe(({ state }) => states.push(state));
      pipeline.add(stream("a", true));
      const before = await firstValueFrom(pipeline.detected);
      expect(labelsOf(before)).toEqual(["red", "grey"]);
      const [pid] = processesWith(folder.path);
      const after = firstValueFrom(pipeline.detected);
      const config = pipeline.change("a", { labels: ["red"], minScore: 0.5, priority: 3 });
      expect(labelsOf(await after)).toEqual(["red"]);
      expect((await after).seq).toBe(before.seq + 1);
      expect(pipeline.status("a").config).toBe(config);
      expect(told).toEqual([stream("a", true), config]);
      expect(pipeline.change("a", { minScore: 0.5 })).toEqual(config);
      expect(told).toHaveLength(2);
      const all = firstValueFrom(pipeline.detected);
      pipeline.change("a", { labels: null, minScore: null });
      expect(labelsOf(await all)).toEqual(["red", "grey"]);
      expect(processesWith(folder.path)).toEqual([pid]);
      expect(states).toEqual(["connecting", "live"]);
    });
  });

  it("decodes anew where the source has changed, one decoder at a time, and its numbers go on", async () => {
    await withPipeline(async (pipeline) => {
      pipeline.add(stream("a", true));
      const before = await firstValueFrom(pipeline.detected);
      const [pid] = processesWith(folder.path);
      const live = stateIs(pipeline, "a", "live");
      pipeline.change("a", { maxFps: 5 });
      expect(pipeline.status("a").state).toBe("connecting");
      await live;
      const decoders = processesWith(folder.path);
      expect([decoders.length, decoders.includes(pid!)]).toEqual([1, false]);
      const [first, second] = await firstValueFrom(pipeline.detected.pipe(take(2), toArray()));
      expect(first!.seq).toBeGreaterThan(before.seq);
      expect(second!.frame.pts - first!.frame.pts).toBeGreaterThan(0.15);
      expect(() => pipeline.change("a", { url: "ftp://x" })).toThrow("has a scheme that is not allowed");
      expect(pipeline.status("a").config.url).toBe(clip);
    });
  });

  it("pauses a camera by ending its decoder, and resumes it, with its books; one may be added paused", async () => {
    await withPipeline(async (pipeline) => {
      pipeline.add({ ...stream("a", true), paused: true });
      expect(pipeline.status("a").state).toBe("paused");
      const states: string[] = [];
      pipeline.statuses.subscribe(({ state }) => states.push(state));
      pipeline.resume("a");
      await firstValueFrom(pipeline.detected);
      pipeline.pause("a");
      pipeline.pause("a");
      await until(() => processesWith(folder.path).length === 0);
      await until(() => pipeline.counts("a").inFlight === 0);
      const { detected } = pipeline.counts("a");
      pipeline.resume("a");
      expect((await firstValueFrom(pipeline.detected)).seq).toBe(detected);
      const counts = pipeline.counts("a");
      expect(counts.decoded).toBe(counts.detected + counts.inFlight + sum(counts));
      expect(states).toEqual(["connecting", "live", "paused", "connecting", "live"]);
      expect(pipeline.restarts("a")).toBe(1);
    });
  });

  it("holds a file that is played once where it is while it is paused, and loses nothing of it", async () => {
    await withPipeline(async (pipeline) => {
      const seen: number[] = [];
      pipeline.detected.subscribe(({ seq, frame }) => {
        seen.push(Math.round(frame.pts * 25));
        if (seq === 3) pipeline.pause("file");
      });
      const ended = stateIs(pipeline, "file", "ended");
      pipeline.add(stream("file", false));
      await stateIs(pipeline, "file", "paused");
      await until(() => pipeline.counts("file").inFlight > 0 && seen.length === pipeline.counts("file").detected);
      pipeline.resume("file");
      await ended;
      expect(seen).toEqual(Array.from({ length: 30 }, (_, i) => i));
      expect(pipeline.counts("file")).toEqual({ decoded: 30, detected: 30, inFlight: 0, dropped: {} });
    });
  });

  it("looks at a stream with the model that it names, and changes it without decoding anew", async () => {
    const opened: RedFinder[] = [];
    const openModel = async (name: string): Promise<RedFinder> => {
      if (name === "none") throw new MultiboxError("MODEL_UNKNOWN", `There is no model "${name}".`);
      opened.push(new RedFinder(name));
      return opened.at(-1)!;
    };
    const pipeline = createPipeline(new RedFinder(), { ...OPTIONS, openModel });
    const shownBy = (model: string): Promise<Detected> =>
      firstValueFrom(pipeline.detected.pipe(filter((detected) => detected.model.name === model)));
    try {
      pipeline.add({ ...stream("a", true), model: "other" });
      pipeline.add({ ...stream("b", true), model: "other" });
      const before = await shownBy("other");
      const pids = processesWith(folder.path);
      const names: string[] = [];
      pipeline.detected.subscribe(({ frame, model }) => frame.stream === "a" && names.push(model.name));
      pipeline.change("a", { model: null });
      await shownBy("red-finder");
      pipeline.change("b", { model: null });
      await until(() => opened[0]!.closed);
      expect(opened).toHaveLength(1);
      expect(processesWith(folder.path)).toEqual(pids);
      expect(names.lastIndexOf("other")).toBeLessThan(names.indexOf("red-finder"));
      expect(before.frame.stream).toMatch(/[ab]/);
      const wrong = stateIs(pipeline, "a", "misconfigured");
      pipeline.change("a", { model: "none" });
      expect((await wrong).error?.code).toBe("MODEL_UNKNOWN");
      pipeline.change("a", { model: "other" });
      await shownBy("other");
      const next = new RedFinder("next");
      await pipeline.swap("other", next);
      await shownBy("next");
      expect(opened[1]!.closed).toBe(true);
    } finally {
      await pipeline.close();
    }
    expect(processesWith(folder.path)).toEqual([]);
  });

  it("refuses a taken id, an unknown id and a foreign scheme with sentences", async () => {
    await withPipeline(async (pipeline) => {
      pipeline.add(stream("a", true));
      expect(() => pipeline.add(stream("a", true))).toThrow('There is a stream "a" already.');
      expect(() => pipeline.status("b")).toThrow('There is no stream "b".');
      await expect(pipeline.remove("b")).rejects.toMatchObject({ code: "STREAM_UNKNOWN" });
      const foreign = stream("c", true, "ftp://user:secret@host/x");
      expect(() => pipeline.add(foreign)).toThrow('"ftp://host/x" has a scheme that is not allowed.');
    });
  });

  it("takes no more streams once it is closed, and closes twice", async () => {
    const pipeline = createPipeline(new RedFinder(), OPTIONS);
    await Promise.all([pipeline.close(), pipeline.close()]);
    expect(() => pipeline.add(stream("a", true))).toThrow("The server is stopping");
  });
});
