// The thread that runs the network is killed in the midst of its work: its batch is counted, another takes over, no stream is started again.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { MultiboxError } from "../../../src/errors.ts";
import { openDetector } from "../../../src/model/detector-pool.ts";
import type { Detected } from "../../../src/pipeline/frame.ts";
import { createPipeline } from "../../../src/pipeline/pipeline.ts";
import { watchWorkers } from "../../model/support/workers.ts";
import { defaultModelFolder } from "../../support/model.ts";
import { gapOf } from "../../support/multibox.ts";
import { processesWith, until } from "../../support/processes.ts";
import { startRtspServer, type RtspServer } from "../../support/rtsp-server.ts";

const IDS = ["a", "b"];
let camera: RtspServer;
beforeAll(async () => {
  camera = await startRtspServer({ paths: { "/a": { fps: 4 }, "/b": { fps: 4, size: "640x360" } } });
});
afterAll(() => camera.close());

describe("two cameras, and an engine that is killed", () => {
  it.each([0, 2])("lose what was in it and go on, workers: %d", async (count) => {
    const workers = watchWorkers();
    const deaths: string[] = [];
    const onDeath = ({ code }: MultiboxError): void => void deaths.push(code);
    const folder = defaultModelFolder();
    // WebAssembly can be ended anywhere; native runtimes abort the whole process when their thread is ended in the midst of a run.
    const detector = await openDetector({ folder, engine: "tfjs:wasm", workers: count, maxBatch: 8, onDeath });
    const pipeline = createPipeline(detector, { maxDelayMs: 10, maxDecodeWidth: 1920, stallMs: 15_000 });
    const seen: Pick<Detected, "seq">[] = [];
    const states: string[] = [];
    pipeline.detected.subscribe(({ seq, frame }) => void (frame.stream === "a" && seen.push({ seq })));
    pipeline.statuses.subscribe(({ config, state }) => void states.push(`${config.id} ${state}`));
    const gap = (id: string): number => gapOf({ counts: pipeline.counts(id) });
    const lost = (): number => IDS.reduce((sum, id) => sum + (pipeline.counts(id).dropped.engine ?? 0), 0);
    try {
      for (const id of IDS) pipeline.add({ id, url: camera.url(`/${id}`), loop: false, transport: "tcp" });
      await until(() => IDS.every((id) => pipeline.counts(id).detected > 5));
      for (let kill = 1; kill <= 2; kill++) {
        const before = lost();
        // Idle threads may die as well; killed until one had frames in it.
        while (lost() === before) {
          await until(() => workers.alive.length > 0 && IDS.some((id) => pipeline.counts(id).inFlight > 0));
          await workers.alive[0]!.terminate();
          expect(IDS.map(gap)).toEqual([0, 0]);
        }
        const reached = IDS.map((id) => pipeline.counts(id).detected);
        await until(() => IDS.every((id, i) => pipeline.counts(id).detected > reached[i]! + 5));
      }
      expect(new Set(deaths)).toEqual(new Set(["ENGINE_DIED"]));
      expect(states.filter((state) => !/connecting|live/.test(state))).toEqual([]);
      expect(pipeline.list().map(({ state, error }) => [state, error])).toEqual([
        ["live", undefined],
        ["live", undefined],
      ]);
      expect(seen.map(({ seq }) => seq)).toEqual(seen.map((_, i) => i));
    } finally {
      await pipeline.close();
      await detector.close();
      workers.stop();
    }
    expect(workers.alive).toEqual([]);
    expect(processesWith(`127.0.0.1:${camera.port}/`)).toEqual([]);
  });
});
