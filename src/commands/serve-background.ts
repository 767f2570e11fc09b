// What `multibox serve` does beside its streams, in processes of their own: annotation jobs, trainings, and proposals for captures.
import { join, resolve } from "node:path";
import type { Logger } from "pino";
import { asyncScheduler } from "rxjs";
import { type Config, jobLimitsOf, trainingLimitsOf } from "../config.ts";
import type { Guard } from "../pipeline/guard.ts";
import type { CaptureStore } from "../server/captures/capture-store.ts";
import { proposalRunner } from "../server/captures/proposal-runner.ts";
import { Proposals } from "../server/captures/proposals.ts";
import { annotationRunner } from "../server/jobs/annotation-runner.ts";
import { Jobs } from "../server/jobs/jobs.ts";
import type { ModelStore } from "../server/models/model-store.ts";
import type { ClockWatch } from "../server/clock-watch.ts";
import type { Quarantine } from "../server/quarantine.ts";
import { Retention } from "../server/retention.ts";
import type { Store } from "../server/database/store.ts";
import { trainingRunner } from "../server/trainings/training-runner.ts";
import { Trainings } from "../server/trainings/trainings.ts";
import { ownCommand } from "./own-command.ts";

export interface BackgroundOptions {
  readonly config: Config;
  readonly store: Store;
  readonly models: ModelStore;
  readonly captures: CaptureStore;
  readonly cacheDir: string;
  readonly dataDir: string;
  readonly guard: Guard;
  readonly logger: Logger;
  readonly watch: ClockWatch;
  readonly quarantine: Quarantine;
}

const DAY_MS = 86_400_000;

export interface Background {
  readonly jobs: Jobs;
  readonly trainings: Trainings;
  readonly proposals: Proposals;
}

/** Jobs and trainings with what the last server has left; nothing runs yet. */
export async function openBackground(options: BackgroundOptions): Promise<Background> {
  const { config, store, models, guard, logger, watch, quarantine } = options;
  const [cacheDir, dataDir] = [resolve(options.cacheDir), resolve(options.dataDir)];
  const run = { command: ownCommand(), cacheDir, guard };
  const shared = { store, logger, clock: asyncScheduler, quarantine };
  const jobs = new Jobs({
    ...shared,
    folder: join(dataDir, "jobs"),
    limits: jobLimitsOf(config),
    retention: new Retention({ watch, maxAgeMs: config.jobMaxDays * DAY_MS }),
    run: annotationRunner(run),
  });
  const trainings = new Trainings({
    ...shared,
    // Beside those of `multibox train --name`, whose names never begin so.
    folder: join(dataDir, "trainings", ".server"),
    root: dataDir,
    limits: trainingLimitsOf(config),
    run: trainingRunner({ ...run, dataDir, models, fileRoots: () => config.fileRoots }),
  });
  await Promise.all([jobs.load(), trainings.load()]);
  const proposals = new Proposals({
    store: options.captures,
    run: proposalRunner({ ...run, dataDir, models, config }),
    logger,
    now: () => asyncScheduler.now(),
  });
  return { jobs, trainings, proposals };
}
