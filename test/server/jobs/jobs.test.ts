// The queue of jobs: one at a time and in order, broken off, gone on with by the next server, kept within bounds.
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { VirtualTimeScheduler } from "rxjs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { MultiboxError } from "../../../src/errors.ts";
import type { JobInfo } from "../../../src/server/jobs/job-schemas.ts";
import { type JobRunner, Jobs, type JobWork, type NewRecord } from "../../../src/server/jobs/jobs.ts";
import type { JobEvent } from "../../../src/server/protocol.ts";
import type { WorkLimits } from "../../../src/server/background/work-kind.ts";
import { Retention } from "../../../src/server/retention.ts";
import { steady } from "../../../src/steady-scheduler.ts";
import { type MemoryStore, memoryStore } from "../../support/memory-store.ts";

let folder: string;
let store: MemoryStore;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "multibox-jobs-"));
  store = memoryStore();
});

afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs that wait until the test ends them. */
class Runs {
  readonly begun: JobWork[] = [];
  readonly #ends = new Map<string, (error?: unknown) => void>();

  readonly run: JobRunner = (work) => {
    this.begun.push(work);
    return new Promise((resolve, reject) => {
      const end = (error?: unknown): void =>
        error === undefined ? resolve({ frames: 7, detections: 3 }) : reject(error);
      this.#ends.set(work.record.id, end);
      work.signal.addEventListener("abort", () => reject(new MultiboxError("INTERRUPTED", "It was interrupted.")));
    });
  };

  get names(): string[] {
    return this.begun.map(({ record }) => record.video);
  }

  /** The newest run of a job leaves a file of JSON lines and ends; or it fails. */
  end(id: string, error?: unknown): void {
    const work = this.begun.findLast(({ record }) => record.id === id)!;
    const results = join(work.folder, "results");
    mkdirSync(results, { recursive: true });
    writeFileSync(join(results, `${work.record.video.split(".")[0]}.jsonl`), "{}\n");
    writeFileSync(join(results, "left.partial"), "half");
    this.#ends.get(id)!(error);
  }
}

function open(
  runs: Runs,
  limits: Partial<WorkLimits> = {},
  clock = new VirtualTimeScheduler(),
  retention?: Retention,
): Jobs {
  return new Jobs({
    store,
    folder,
    limits: { maxRunning: 1, maxCount: 10, ...limits },
    run: runs.run,
    logger: pino({ level: "silent" }),
    clock,
    ...(retention && { retention }),
  });
}

const video =
  (name: string): (() => Promise<NewRecord>) =>
  () =>
    Promise.resolve({ video: name, options: { out: ["jsonl"] }, settings: [], framesExpected: 10 });

const states = (jobs: Jobs): string[] => jobs.list().map(({ video: name, state }) => `${name} ${state}`);

async function ended(jobs: Jobs, id: string): Promise<JobInfo> {
  while (["queued", "running"].includes(jobs.get(id).state)) await new Promise((resolve) => setTimeout(resolve, 2));
  return jobs.get(id);
}

test("jobs run one after the other, tell how far they are, and leave results", async () => {
  const runs = new Runs();
  const jobs = open(runs);
  const events: JobEvent[] = [];
  jobs.events.subscribe((event) => events.push(event));
  await jobs.load();
  jobs.open();
  const [a, b] = [await jobs.create(video("a.mp4")), await jobs.create(video("b.mp4"))];
  expect(states(jobs)).toEqual(["b.mp4 queued", "a.mp4 running"]);
  runs.begun[0]!.onProgress({ phase: "detecting", frames: 5, framesPerSecond: 2.5, percent: 50, secondsLeft: 2 });
  expect(jobs.get(a.id).progress).toEqual({
    phase: "detecting",
    frames: 5,
    framesExpected: 10,
    framesPerSecond: 2.5,
    percent: 50,
    secondsLeft: 2,
  });
  runs.end(a.id);
  expect(await ended(jobs, a.id)).toMatchObject({
    state: "done",
    frames: 7,
    detections: 3,
    results: [{ name: "a.jsonl", form: "jsonl", bytes: 3 }],
  });
  await expect.poll(() => existsSync(join(folder, a.id, "upload")), { timeout: 20_000 }).toBe(false);
  expect(existsSync(join(folder, a.id, "results", "left.partial"))).toBe(false);
  await expect.poll(() => runs.names, { timeout: 20_000 }).toEqual(["a.mp4", "b.mp4"]);
  runs.end(b.id, new MultiboxError("DISK_FULL", "There is no space left.", "Make some."));
  expect(await ended(jobs, b.id)).toMatchObject({ state: "failed", error: { code: "DISK_FULL", hint: "Make some." } });
  expect(events.filter(({ id }) => id === a.id).map(({ job }) => job?.state)).toEqual([
    "queued",
    "running",
    "running",
    "done",
  ]);
  await jobs.close();
});

test("one that waits or runs can be cancelled, twice too; one that has ended stays as it is", async () => {
  const runs = new Runs();
  const jobs = open(runs);
  jobs.open();
  const [a, b, c] = [
    await jobs.create(video("a.mp4")),
    await jobs.create(video("b.mp4")),
    await jobs.create(video("c.mp4")),
  ];
  expect((await jobs.cancel(b.id)).state).toBe("cancelled");
  const [first, second] = await Promise.all([jobs.cancel(a.id), jobs.cancel(a.id)]);
  expect([first.state, second.state, first.results]).toEqual(["cancelled", "cancelled", []]);
  await expect.poll(() => existsSync(join(folder, a.id)), { timeout: 20_000 }).toBe(false);
  expect(runs.names).toEqual(["a.mp4", "c.mp4"]);
  runs.end(c.id);
  await ended(jobs, c.id);
  expect((await jobs.cancel(c.id)).state).toBe("done");
  await jobs.remove(c.id);
  expect(existsSync(join(folder, c.id))).toBe(false);
  await expect(jobs.cancel(c.id)).rejects.toMatchObject({ code: "JOB_UNKNOWN" });
  await jobs.close();
});

test("the next server goes on with what ran, then with what waited, and removes only what was not received whole", async () => {
  const first = new Runs();
  const before = open(first);
  before.open();
  const a = await before.create(video("a.mp4"));
  await before.create(video("b.mp4"));
  await before.close();
  expect(before.get(a.id).state).toBe("running");
  mkdirSync(join(folder, "half-an-upload"));
  writeFileSync(join(folder, "half-an-upload", ".incoming"), "");
  mkdirSync(join(folder, "of-a-lost-database"));
  const second = new Runs();
  const after = open(second);
  await after.load();
  expect(existsSync(join(folder, "half-an-upload"))).toBe(false);
  expect(existsSync(join(folder, "of-a-lost-database"))).toBe(true);
  expect(existsSync(join(folder, a.id))).toBe(true);
  after.open();
  expect(states(after)).toEqual(["b.mp4 queued", "a.mp4 running"]);
  // Somebody has sent the child a signal that was not ours.
  second.end(a.id, new MultiboxError("INTERRUPTED", "It was interrupted."));
  await expect.poll(() => second.names, { timeout: 20_000 }).toEqual(["a.mp4", "b.mp4"]);
  expect(states(after)).toEqual(["b.mp4 running", "a.mp4 queued"]);
  await after.close();
});

test("the oldest that have ended make room, by number and by age; where none has, no more are taken", async () => {
  const runs = new Runs();
  const clock = new VirtualTimeScheduler();
  const watch = { now: () => clock.now(), heldMs: () => 0 };
  const retention = new Retention({ watch, maxAgeMs: 7 * 86_400_000, clock: steady(clock) });
  const jobs = open(runs, { maxCount: 2 }, clock, retention);
  jobs.open();
  const a = await jobs.create(video("a.mp4"));
  const b = await jobs.create(video("b.mp4"));
  await expect(jobs.create(video("c.mp4"))).rejects.toMatchObject({ code: "JOBS_FULL" });
  runs.end(a.id);
  await ended(jobs, a.id);
  await jobs.create(video("c.mp4"));
  expect(states(jobs)).toEqual(["c.mp4 queued", "b.mp4 running"]);
  runs.end(b.id);
  await ended(jobs, b.id);
  clock.maxFrames = 8 * 86_400_000;
  clock.flush();
  await expect.poll(() => states(jobs), { timeout: 20_000 }).toEqual(["c.mp4 running"]);
  await jobs.close();
});

test("of a video that could not be taken nothing is left", async () => {
  const jobs = open(new Runs());
  const refusal = new MultiboxError("STREAM_NOT_VIDEO", "It is a text.");
  await expect(jobs.create(() => Promise.reject(refusal))).rejects.toBe(refusal);
  const full = Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
  await expect(jobs.create(() => Promise.reject(full))).rejects.toMatchObject({ code: "DISK_FULL" });
  expect(jobs.list()).toEqual([]);

  expect(readdirSync(folder)).toEqual([]);
  await jobs.close();
});
