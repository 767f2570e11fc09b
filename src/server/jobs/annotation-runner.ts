// Runs a job: `multibox annotate` as a child process in the background, which goes on with what an earlier one has left.
import { rm } from "node:fs/promises";
import { join, sep } from "node:path";
import { z } from "zod";
import { MultiboxError } from "../../errors.ts";
import type { Guard } from "../../pipeline/guard.ts";
import { failureOf, runInBackground } from "../background/background-child.ts";
import { RESULTS } from "./job-results.ts";
import { FORMS, type JobOptions, type JobWarning } from "./job-schemas.ts";
import type { JobRecord } from "./job-record.ts";
import { type JobRunner, type JobWork, UPLOAD } from "./jobs.ts";

export interface RunnerOptions {
  /** How multibox itself is started. */
  readonly command: readonly string[];
  readonly cacheDir: string;
  readonly guard: Guard;
}

/** What `multibox annotate --json` says, as far as it matters here. */
const Event = z.discriminatedUnion("event", [
  z.object({
    event: z.literal("progress"),
    frames: z.int(),
    framesPerSecond: z.number(),
    percent: z.int().optional(),
    secondsLeft: z.int().optional(),
  }),
  z.object({ event: z.literal("convert"), form: z.enum(FORMS), percent: z.int() }),
  z.object({ event: z.literal("warning"), code: z.string(), message: z.string() }),
  z.object({ event: z.literal("done"), state: z.string(), frames: z.int(), detections: z.int() }),
  z.object({ event: z.literal("failed"), code: z.string(), message: z.string(), hint: z.string() }),
]);

const MOST_WARNINGS = 20;

/** What a run has left cannot be resumed, so the job starts at the first frame. */
const RESTARTED = ["RESUME_MISMATCH", "FILE_NEWER"];

/** Fails as `multibox annotate` does, or with JOB_DIED or JOB_NOT_STARTED. */
export function annotationRunner(options: RunnerOptions): JobRunner {
  return async (work) => {
    try {
      return await run(work, options);
    } catch (error) {
      if (!(error instanceof MultiboxError && RESTARTED.includes(error.code))) throw error;
      // Another version of multibox, or another processor: this one cannot resume what the other has written.
      await rm(join(work.folder, RESULTS), { recursive: true, force: true });
      return run(work, options);
    }
  };
}

async function run(
  { record, folder, signal, onProgress }: JobWork,
  { command, cacheDir, guard }: RunnerOptions,
): ReturnType<JobRunner> {
  const warnings: JobWarning[] = [];
  let frames = 0;
  let done: { frames: number; detections: number } | undefined;
  let failure: MultiboxError | undefined;
  const onEvent = (line: unknown): void => {
    const { data } = Event.safeParse(line);
    switch (data?.event) {
      case "progress": {
        const { event: _event, ...progress } = data;
        ({ frames } = progress);
        onProgress({ phase: "detecting", ...progress });
        break;
      }
      case "convert":
        onProgress({ phase: "writing", frames, form: data.form, percent: data.percent });
        break;
      case "warning":
        if (warnings.length < MOST_WARNINGS) warnings.push({ code: data.code, message: data.message });
        break;
      case "done":
        // All was there already: this server was killed before it could note it.
        done = data.state === "there" ? undefined : { frames: data.frames, detections: data.detections };
        break;
      case "failed":
        // Where the server keeps its jobs is no business of whoever reads of it.
        failure = new MultiboxError(data.code, data.message.replaceAll(folder + sep, ""), data.hint);
        break;
      case undefined:
        break;
    }
  };
  const [cwd, input] = record.path === undefined ? [join(folder, UPLOAD), record.video] : [folder, record.path];
  const args = argumentsOf(record, { input, results: join(folder, RESULTS), cacheDir });
  const exit = await runInBackground({ command: [...command, ...args], cwd, guard, signal, onEvent });
  if (exit.code !== 0) throw failure ?? failureOf(exit, "annotated the video");
  return { ...done, ...(warnings.length > 0 && { warnings }) };
}

/**
 * One thread for the network and one for decoding: at the lowest priority more of them would be done sooner on an idle machine, and
 * would have more of the memory and caches that the streams work in on a busy one.
 */
function argumentsOf(
  { options, settings }: JobRecord,
  { input, results, cacheDir }: { readonly input: string; readonly results: string; readonly cacheDir: string },
): string[] {
  const { out, labels, keyframes, ...values } = options;
  const fixed = ["annotate", "--json", "--resume", "--workers", "1", "--cache-dir", cacheDir, "--out-dir", results];
  return [
    ...fixed,
    ...settings,
    ...Object.entries(values satisfies Partial<JobOptions>).flatMap(([name, value]) =>
      value === undefined ? [] : [`--${name === "minScore" ? "min-score" : name}`, textOf(name, value)],
    ),
    ...out.flatMap((form) => ["--out", form]),
    ...(keyframes ? ["--keyframes"] : []),
    ...(labels ? ["--labels", ...labels] : []),
    "--",
    input,
  ];
}

/** Times are read as 1:30 is, and so have no exponent. */
function textOf(name: string, value: string | number): string {
  return (name === "start" || name === "end") && typeof value === "number" ? value.toFixed(6) : String(value);
}
