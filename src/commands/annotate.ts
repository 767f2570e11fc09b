// `multibox annotate`: videos and folders of them, one after the other or some at a time, with one model for all.
import { realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import { annotateFile } from "../annotate/annotate-file.ts";
import type { AnnotationSettings } from "../annotate/annotation.ts";
import { type FoundInput, findVideos, type LeftOut, leftOutWarnings } from "../annotate/find-inputs.ts";
import { ANNOTATION_FORMATS } from "../annotate/formats.ts";
import { JSONL_SUFFIX, type Output, outputsOf, parseOutputs, requireDistinct } from "../annotate/outputs.ts";
import { planThreads } from "../annotate/threads.ts";
import type { Config } from "../config.ts";
import { MultiboxError } from "../errors.ts";
import type { Detector } from "../model/detector.ts";
import { openDetector } from "../model/detector-pool.ts";
import { reportedLabels } from "../model/labels.ts";
import type { PostProcessSpec } from "../model/spec.ts";
import { requireTrackContainer, softVideoFormat, videoFormat } from "../annotate/video/boxed-video.ts";
import { containerOf } from "../annotate/video/containers.ts";
import type { EncoderWish } from "../annotate/video/encoders.ts";
import { findFfmpeg } from "../pipeline/find-ffmpeg.ts";
import { createGuard } from "../pipeline/guard.ts";
import { type AnnotateReport, createReport } from "./annotate-report.ts";
import { requireLabels } from "./arguments.ts";
import { annotationModel, findShown } from "./model-folder.ts";

export interface AnnotateOptions extends Pick<
  Config,
  | "model"
  | "engine"
  | "precision"
  | "workers"
  | "maxBatch"
  | "minScore"
  | "iouThreshold"
  | "maxDetections"
  | "nms"
  | "classAgnostic"
> {
  readonly cacheDir: string;
  readonly postProcess: Partial<PostProcessSpec>;
  readonly selection: Pick<AnnotationSettings, "every" | "fps" | "start" | "end" | "keyframes">;
  /** Boxed videos have their boxes as a track. */
  readonly soft: boolean;
  readonly encoding: EncoderWish;
  readonly out: readonly string[];
  readonly outDir: string | undefined;
  readonly labels: readonly string[] | undefined;
  readonly jobs: number | undefined;
  readonly resume: boolean;
  readonly force: boolean;
  readonly json: boolean;
}

interface Plan {
  readonly input: string;
  readonly outputs: readonly Output[];
}

/** Returns how many videos failed; each is named with its reason. With a single one its failure is thrown. */
export async function annotateVideos(names: readonly string[], options: AnnotateOptions): Promise<number> {
  const leftOut: LeftOut[] = [];
  const plans = await plan(names, options, (file) => leftOut.push(file));
  const { folder, spec } = await findShown(options.model, options.cacheDir, options.engine);
  requireLabels(options.labels, reportedLabels(spec.labels));
  // Until here there is nothing to keep, and a signal ends the process at once.
  const stop = interruptible();
  const report = createReport({ json: options.json, files: plans.length });
  for (const warning of leftOutWarnings(leftOut, "video")) report.warn(warning);
  // ffmpeg is found and starts while the model opens, which takes a second of two cores.
  const detecting = open(folder, options);
  const opened = detecting.then((detector) => ({ detector, model: annotationModel(spec, detector) }));
  opened.catch(() => stop.abort());
  try {
    const { workers: slots } = planThreads(options.workers);
    const tools = { opened, slots, ffmpeg: await findFfmpeg(), guard: createGuard(), signal: stop.signal };
    const annotate = ({ input, outputs }: Plan): Promise<boolean> =>
      report.watch(input, (onProgress, onConvert, onWarning) =>
        annotateFile(
          { ...jobOf(options), path: input, input: input === "-" ? process.stdin : undefined, outputs },
          {
            ...tools,
            encoding: { ...options.encoding, threads: options.workers || undefined },
            onProgress,
            onConvert,
            onWarning,
          },
        ),
      );
    const failed = await runAll(plans, options.jobs ?? Math.min(2, plans.length), annotate, stop.signal);
    // A model that does not open is nobody's interruption.
    await opened;
    report.summary();
    if (stop.signal.aborted) throw interrupted(report);
    if (plans.length === 1 && report.error !== undefined) throw report.error;
    return failed;
  } finally {
    report.close();
    await detecting.then(
      (detector) => detector.close(),
      () => undefined,
    );
    stop.done();
  }
}

/** Which videos there are and what is to be written for each; everything that is a mistake in the call is found here. */
async function plan(
  names: readonly string[],
  { out, outDir, soft }: AnnotateOptions,
  onLeftOut: (file: LeftOut) => void,
): Promise<Plan[]> {
  const requests = parseOutputs(out, "video").map((request) =>
    soft && request.format === videoFormat ? { ...request, format: softVideoFormat } : request,
  );
  for (const { format, path } of requests) {
    if (format === softVideoFormat && path !== undefined) requireTrackContainer(path);
    if (format === videoFormat && path !== undefined) containerOf(path);
  }
  const suffixes = ANNOTATION_FORMATS.map(({ suffix }) => suffix);
  // What an earlier run has left unfinished is multibox's own as well.
  const isOwn = (name: string): boolean =>
    [JSONL_SUFFIX, ...suffixes].some((suffix) => name.replace(/\.partial$/, "").endsWith(suffix));
  const inputs = await findVideos(names, isOwn, onLeftOut);
  const fixed = requests.find(({ path }) => path !== undefined);
  if (inputs.length > 1 && fixed)
    throw new MultiboxError(
      "OUT_CONFLICT",
      `${inputs.length} videos cannot all be written to ${fixed.path}.`,
      "Name only the form, and with --out-dir a folder.",
    );
  const folderOf = ({ below }: FoundInput): string | undefined =>
    outDir === undefined ? undefined : join(outDir, below);
  const plans = inputs.map((found) => ({
    input: found.path,
    outputs: outputsOf(found.path, requests, folderOf(found)),
  }));
  requireDistinct(plans);
  for (const { input, outputs } of plans) for (const { path } of outputs) await requireOther(input, path);
  return plans;
}

/** An output that is the input would be the end of both. */
async function requireOther(input: string, output: string): Promise<void> {
  const [from, to] = await Promise.all([input, output].map((path) => stat(path).catch(() => undefined)));
  if (!from || !to || from.dev !== to.dev || from.ino !== to.ino) return;
  throw new MultiboxError(
    "OUT_IS_INPUT",
    `${output} is ${await realpath(input)}, the video itself.`,
    "Choose another --out.",
  );
}

function open(folder: string, options: AnnotateOptions): Promise<Detector> {
  const { engine, precision, cacheDir, maxBatch, minScore, postProcess } = options;
  const { workers } = planThreads(options.workers);
  return openDetector({ folder, engine, precision, cacheDir, workers, maxBatch, minScore, postProcess });
}

function jobOf(options: AnnotateOptions): {
  settings: AnnotationSettings;
  resume: boolean;
  force: boolean;
  decodeThreads: number;
} {
  const { minScore, iouThreshold, maxDetections, nms, classAgnostic, selection, maxBatch, resume, force } = options;
  const labels = options.labels && [...options.labels].sort();
  const settings = { minScore, labels, iouThreshold, maxDetections, nms, classAgnostic, batch: maxBatch, ...selection };
  return { settings, resume, force, decodeThreads: planThreads(options.workers).decodeThreads };
}

/** Some at a time; returns how many failed. None is begun after the signal. */
async function runAll(
  plans: readonly Plan[],
  jobs: number,
  annotate: (plan: Plan) => Promise<boolean>,
  signal: AbortSignal,
): Promise<number> {
  const queue = [...plans];
  let failed = 0;
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next && !signal.aborted; next = queue.shift()) {
      if (!(await annotate(next))) failed += 1;
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs, plans.length) }, work));
  return failed;
}

/** The first signal ends the run in good order, the second one at once. */
function interruptible(): { signal: AbortSignal; abort: () => void; done: () => void } {
  const stop = new AbortController();
  const onSignal = (): void => {
    if (stop.signal.aborted) process.exit(130);
    stop.abort();
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  const done = (): void => void process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
  return { signal: stop.signal, abort: () => stop.abort(), done };
}

const interrupted = (report: AnnotateReport): MultiboxError =>
  new MultiboxError("INTERRUPTED", `The run was interrupted; ${report.kept}.`, "Go on with it by --resume.");
