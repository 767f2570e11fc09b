// Looks for proposals in the background: `multibox captures label --dry-run` as a child process, which writes nothing.
import { sep } from "node:path";
import { MultiboxError } from "../../errors.ts";
import type { Guard } from "../../pipeline/guard.ts";
import { failureOf, runInBackground } from "../background/background-child.ts";
import { type DetectorConfig, detectorFlags, flagsOf } from "../background/detector-flags.ts";
import { modelArgument } from "../models/named-model.ts";
import type { ModelStore } from "../models/model-store.ts";
import { ProposalEnd, ProposalEvent } from "./proposal-events.ts";
import type { ProposalRunner } from "./proposals.ts";

export interface ProposalRunnerOptions {
  /** How multibox itself is started. */
  readonly command: readonly string[];
  readonly cacheDir: string;
  readonly dataDir: string;
  readonly guard: Guard;
  readonly models: ModelStore;
  readonly config: DetectorConfig;
}

/** Fails as `multibox captures label` does, or with JOB_DIED or JOB_NOT_STARTED. */
export function proposalRunner(options: ProposalRunnerOptions): ProposalRunner {
  const { command, cacheDir, dataDir, guard, models, config } = options;
  return async ({ model, regions, labels = [], minScore, streams = [] }, signal, onEvent) => {
    const args = [
      "captures",
      "label",
      "--dry-run",
      "--json",
      // One thread, as of a job: more would take memory and caches from the streams.
      ...flagsOf({ "data-dir": dataDir, "cache-dir": cacheDir, workers: 1, regions, "min-score": minScore }),
      ...detectorFlags(config, modelArgument(model, models)),
      ...labels.map((label) => `--labels=${label}`),
      ...streams.map((stream) => `--stream=${stream}`),
    ];
    // Where the server keeps its data is no business of its clients.
    const withoutFolder = (text: string): string => text.replaceAll(dataDir + sep, "");
    let isDone = false;
    const onLine = (line: unknown): void => {
      const event = ProposalEvent.safeParse(line).data;
      if (event?.event === "unreadable") onEvent({ ...event, message: withoutFolder(event.message) });
      else if (event) onEvent(event);
      isDone ||= ProposalEnd.safeParse(line).success;
    };
    const exit = await runInBackground({
      command: [...command, ...args],
      cwd: dataDir,
      guard,
      signal,
      onEvent: onLine,
    });
    if (isDone) return;
    const { code, message, hint } = failureOf(exit, "looked at the captures");
    // All of them were deleted before it looked.
    if (code === "CAPTURE_UNKNOWN") return;
    throw new MultiboxError(code, withoutFolder(message), hint);
  };
}
