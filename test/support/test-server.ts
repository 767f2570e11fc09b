// The app, or the whole server on a free port, over a scripted pipeline; real JPEGs, real sockets.
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { randomUUID } from "node:crypto";
import { pino, type Logger } from "pino";
import { asyncScheduler } from "rxjs";
import { Config } from "../../src/config.ts";
import { JpegEncoder } from "../../src/pipeline/jpeg.ts";
import { createGuard } from "../../src/pipeline/guard.ts";
import { createApp, type MultiboxApp } from "../../src/server/app.ts";
import { CurrentDetector } from "../../src/model/current-detector.ts";
import { Activator } from "../../src/server/models/activation.ts";
import { ModelStore } from "../../src/server/models/model-store.ts";
import { CaptureStore } from "../../src/server/captures/capture-store.ts";
import { type ProposalRunner, Proposals } from "../../src/server/captures/proposals.ts";
import { type JobRunner, Jobs } from "../../src/server/jobs/jobs.ts";
import { type TrainingRunner, Trainings } from "../../src/server/trainings/trainings.ts";
import { History } from "../../src/server/history/history.ts";
import { startServer, type RunningServer, type ServeDeps } from "../../src/server/serve.ts";
import type { WorkLimits } from "../../src/server/background/work-kind.ts";
import { Tokens } from "../../src/server/access/tokens.ts";
import { memoryHistory } from "./memory-history.ts";
import { type MemoryStore, memoryStore } from "./memory-store.ts";
import { RedFinder } from "./red-finder.ts";
import { ScriptedPipeline, type ScriptOptions } from "./scripted-pipeline.ts";

export interface TestSetup {
  readonly pipeline: ScriptedPipeline;
  readonly detector: RedFinder;
  /** Both in memory; no history unless it was asked for. */
  readonly store: MemoryStore;
  /** In a temporary folder, which is made when there is one. */
  readonly captures: CaptureStore;
  readonly proposals: Proposals;
  readonly jobs: Jobs;
  readonly jobsFolder: string;
  readonly trainings: Trainings;
  readonly trainingsFolder: string;
  /** Of models; in a temporary folder, likewise. */
  readonly versions: ModelStore;
  readonly history: History;
  /** What the server logged, a line each. */
  readonly log: string[];
}

export interface TestOptions {
  readonly config?: Partial<Config>;
  readonly script?: ScriptOptions;
  readonly deps?: Partial<ServeDeps> & { readonly store?: MemoryStore };
  /** Whether there is a history; it works in this thread. */
  readonly history?: boolean;
  /** What runs jobs; without it none ends by itself. The queue is opened by the test. */
  readonly runJob?: JobRunner;
  /** Likewise of trainings. */
  readonly runTraining?: TrainingRunner;
  /** The same for proposals. */
  readonly runProposals?: ProposalRunner;
  /** Of the jobs. */
  readonly jobLimits?: Partial<WorkLimits>;
  /** Closed after the test. */
  readonly jpeg?: JpegEncoder;
}

type Ask = (path: string, init?: RequestInit) => Promise<Response>;

/** Runs a test against the app alone. */
export async function withApp(
  options: TestOptions,
  run: (setup: TestSetup & MultiboxApp & { ask: Ask }) => Promise<void>,
): Promise<void> {
  const { setup, deps, jpeg } = await prepare(options);
  const made = createApp(deps);
  try {
    await run({ ...setup, ...made, ask: async (path, init) => made.app.request(path, init) });
  } finally {
    made.close();
    await jpeg.close();
    await setup.history.close();
    await setup.proposals.close();
    await setup.jobs.close();
    await setup.trainings.close();
    await setup.store.close();
    rmSync(setup.captures.folder, { recursive: true, force: true });
    rmSync(setup.jobsFolder, { recursive: true, force: true });
    rmSync(setup.trainingsFolder, { recursive: true, force: true });
    rmSync(setup.versions.folder, { recursive: true, force: true });
  }
}

/** Runs a test against the server on a free port. */
export async function withServer(
  options: TestOptions,
  run: (setup: TestSetup & RunningServer & { socketUrl: string }) => Promise<void>,
): Promise<void> {
  const { setup, deps, jpeg } = await prepare(options);
  const server = await startServer(deps);
  try {
    await run({ ...setup, ...server, socketUrl: `ws://127.0.0.1:${server.port}/v1/detections` });
  } finally {
    await server.close();
    await jpeg.close();
    await setup.history.close();
    await setup.proposals.close();
    await setup.jobs.close();
    await setup.trainings.close();
    await setup.store.close();
    rmSync(setup.captures.folder, { recursive: true, force: true });
    rmSync(setup.jobsFolder, { recursive: true, force: true });
    rmSync(setup.trainingsFolder, { recursive: true, force: true });
    rmSync(setup.versions.folder, { recursive: true, force: true });
  }
}

/** A JSON answer, to be looked into. */
export async function jsonOf(answer: Response): Promise<Record<string, unknown>> {
  return (await answer.json()) as Record<string, unknown>;
}

const BOUNDS = { maxCount: 100, maxBytes: 1e8 };

async function prepare(options: TestOptions): Promise<{
  setup: TestSetup;
  deps: ServeDeps;
  jpeg: JpegEncoder;
}> {
  const { config, script, deps, history = false, jpeg = new JpegEncoder() } = options;
  const log: string[] = [];
  const logger = logTo(log);
  const { store = memoryStore() } = deps ?? {};
  const tokens = await Tokens.load(store);
  const jobsFolder = join(tmpdir(), `multibox-test-${randomUUID()}`);
  const trainingsFolder = join(tmpdir(), `multibox-test-${randomUUID()}`);
  const captures = new CaptureStore(join(tmpdir(), `multibox-test-${randomUUID()}`), BOUNDS);
  const setup: TestSetup = {
    jobsFolder,
    jobs: new Jobs({
      store,
      folder: jobsFolder,
      limits: { maxRunning: 1, maxCount: 100, ...options.jobLimits },
      run: options.runJob ?? untilAborted,
      logger,
      clock: asyncScheduler,
    }),
    trainingsFolder,
    versions: new ModelStore(join(tmpdir(), `multibox-test-${randomUUID()}`)),
    trainings: new Trainings({
      store,
      folder: trainingsFolder,
      limits: { maxRunning: 1, maxCount: 3 },
      run: options.runTraining ?? untilAborted,
      logger,
      clock: asyncScheduler,
    }),
    pipeline: new ScriptedPipeline(script),
    detector: new RedFinder(),
    store,
    captures,
    proposals: new Proposals({
      store: captures,
      run: options.runProposals ?? ((_look, signal) => untilAborted({ signal })),
      logger,
      now: () => Date.now(),
    }),
    history: new History({ port: history ? memoryHistory() : undefined, logger }),
    log,
  };
  const { pipeline, detector, versions } = setup;
  const current = new CurrentDetector(detector);
  const open = (): Promise<never> => Promise.reject(new Error("There is no model to open."));
  const activator = new Activator({ store: versions, pipeline, defaultModel: "red-finder", current, open }, detector);
  return {
    setup,
    jpeg,
    deps: {
      ...setup,
      tokens,
      models: { store: versions, activator, defaultModel: "red-finder", fetchable: ["red-finder"] },
      jobTools: {
        ffmpeg: { path: "ffmpeg", version: "", syncOption: "-fps_mode", takesScripts: true },
        guard: createGuard(),
        model: () => "red-finder",
      },
      jpeg,
      config: Config.parse({ port: 0, ...config }),
      logger,
      version: "1.2.3",
      uiDir: "/nowhere",
      ready: () => true,
      ...deps,
    },
  };
}

const untilAborted = ({ signal }: { readonly signal: AbortSignal }): Promise<never> =>
  new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(new Error("It was aborted."))));

function logTo(lines: string[]): Logger {
  return pino({ level: "debug" }, { write: (line: string) => void lines.push(line) });
}
