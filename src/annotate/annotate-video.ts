// One video -> its annotations as JSON lines: decoding, detecting and writing overlap, and a run that was broken off is gone on with.
import type { Readable } from "node:stream";
import { MultiboxError } from "../errors.ts";
import type { Detector } from "../model/detector.ts";
import { pictureBytes } from "../model/detection.ts";
import type { Ffmpeg } from "../pipeline/find-ffmpeg.ts";
import type { Guard } from "../pipeline/guard.ts";
import { checkFile } from "../pipeline/source-input.ts";
import { ChangeLog } from "../pipeline/source-change.ts";
import { packageVersion } from "../version.ts";
import { type AnnotationWriter, openAnnotationWriter, partialPath } from "./annotation-writer.ts";
import type { AnnotationHeader, AnnotationModel, AnnotationSettings, VideoSource } from "./annotation.ts";
import { type Batches, createBatches } from "./batches.ts";
import type { DamageLog } from "./damage.ts";
import { type OpenedVideo, readVideo } from "./read-video.ts";
import { readLeftover, requireSame } from "./resume.ts";
import { createSelection } from "./selection.ts";
import { identify } from "./source-file.ts";
import { readTimeline } from "./timeline.ts";

export interface VideoJob {
  /** "-" is standard input. */
  readonly path: string;
  readonly input?: Readable | undefined;
  /** Where the JSON lines go. */
  readonly target: string;
  /** `batch` is the most; of very large pictures fewer go at once. */
  readonly settings: AnnotationSettings;
  /** Go on with what an earlier run has left, where there is something. */
  readonly resume: boolean;
  readonly decodeThreads: number;
}

/** What detects, and what annotations say of it. */
export interface OpenedModel {
  readonly detector: Detector;
  readonly model: AnnotationModel;
}

export interface VideoTools {
  /** It may be on its way still: pictures are read meanwhile. */
  readonly opened: Promise<OpenedModel>;
  /** How many batches the detector will work on at a time. */
  readonly slots: number;
  readonly ffmpeg: Ffmpeg;
  readonly guard: Guard;
  /** Breaks the run off in good order: what is whole is kept, and the call fails with INTERRUPTED. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: VideoProgress) => void) | undefined;
}

/** How far it is. */
export interface VideoProgress {
  /** Lines written, those of the earlier run among them; and how many of them by that. */
  readonly frames: number;
  readonly resumed: number;
  /** Of the last decoded frame, from the first on, in seconds; and of the whole video, where it says so. */
  readonly seconds: number;
  readonly duration?: number | undefined;
}

export interface VideoResult {
  readonly frames: number;
  readonly resumed: number;
  readonly detections: number;
  readonly damage: DamageLog;
  readonly changes: ChangeLog;
}

/** Pictures of so many bytes may be alive at once, in all. */
const POOL_BYTES = 192 << 20;

/**
 * Writes `target` whole, or leaves what there is under its temporary name. Fails as reading, detecting and writing do, and with
 * RESUME_MISMATCH where what is there was made from another video or in another way.
 */
export async function annotateVideo(job: VideoJob, tools: VideoTools): Promise<VideoResult> {
  const { path, target, settings } = job;
  const { signal } = tools;
  if (path !== "-") await checkFile(path);
  const identity = path === "-" ? {} : await identify(path);
  const leftover = job.resume ? await readLeftover(partialPath(target)) : undefined;
  if (settings.keyframes && path === "-") throw noKeyframes();
  const timeline = settings.keyframes ? await readTimeline(path, tools) : undefined;
  let writing: Promise<AnnotationWriter> | undefined;
  let batches: Batches | undefined;
  let resumed = 0;
  let taken = 0;
  const tally = { frames: 0, detections: 0 };
  const changes = new ChangeLog();
  let first: number | undefined;
  let duration: number | undefined;

  const onOpen = async (video: OpenedVideo): Promise<Plan["pool"]> => {
    ({ duration } = video);
    const plan = planPool(video, settings.batch, tools.slots);
    // Whole batches are kept, so that those that follow have the frames that they would have had.
    if (leftover) resumed = leftover.lines - (leftover.lines % plan.batch);
    tally.frames = resumed;
    const openWriter = async ({ model }: OpenedModel): Promise<AnnotationWriter> => {
      const header = headerOf(job, model, video, identity, plan.batch);
      if (leftover) requireSame(leftover.header, header, partialPath(target));
      return openAnnotationWriter(target, header, leftover && { keep: leftover.bytesOf(resumed) });
    };
    writing = tools.opened.then(openWriter);
    // Its failure is that of the first line, or of the end where there is none.
    writing.catch(() => undefined);
    const wanted = settings.labels && new Set(settings.labels);
    batches = createBatches({
      detector: { detect: async (pictures) => (await tools.opened).detector.detect(pictures) },
      size: plan.batch,
      onError: () => reading.stop(),
      write: async ({ index: decoded, pts, sourcePts, picture: { width, height } }, all) => {
        const index = timeline?.indexOf(pts) ?? decoded;
        const detections = wanted ? all.filter(({ label }) => wanted.has(label)) : all;
        const isOdd = width !== video.width || height !== video.height;
        const source = { ...(sourcePts !== undefined && { sourcePts }), ...(isOdd && { width, height }) };
        await (await writing!).write({ index, pts, ...source, detections });
        tally.frames += 1;
        tally.detections += detections.length;
        tools.onProgress?.({ frames: tally.frames, resumed, seconds: pts - (first ?? pts), duration });
      },
    });
    return plan.pool;
  };

  const select = createSelection(settings);
  const reading = readVideo({
    path,
    input: job.input,
    ffmpeg: tools.ffmpeg,
    guard: tools.guard,
    decodeThreads: job.decodeThreads,
    keyframes: settings.keyframes,
    onOpen,
    onFrame: (frame) => batches!.push(frame),
    onChange: (change) => changes.add(change),
    select: (index, pts) => {
      first ??= pts;
      const choice = select(index, pts);
      if (choice !== "take") return choice;
      taken += 1;
      return taken > resumed ? "take" : "pass";
    },
  });
  const interrupt = (): void => reading.stop();
  signal?.addEventListener("abort", interrupt, { once: true });
  try {
    if (signal?.aborted) interrupt();
    const { damage } = await reading.done.catch(async (error: unknown) => {
      // A terminal's Ctrl-C reaches ffmpeg as well as us, and may reach it first.
      await new Promise((resolve) => setTimeout(resolve, 100));
      throw signal?.aborted ? interrupted() : error;
    });
    if (signal?.aborted) throw interrupted();
    await batches?.end();
    const writer = await writing;
    if (signal?.aborted) throw interrupted();
    if (tally.frames === 0) throw nothingLeft(path);
    await writer!.finish();
    return { ...tally, resumed, damage, changes };
  } catch (error) {
    await batches?.drop();
    const writer = await writing?.catch(() => undefined);
    if (tally.frames === 0) await writer?.abort();
    else await writer?.pause();
    throw error;
  } finally {
    signal?.removeEventListener("abort", interrupt);
  }
}

interface Plan {
  readonly batch: number;
  readonly pool: (width: number, height: number) => number;
}

/**
 * How many frames go at once, and how many of a size may be alive: those in the detector, as many that wait for it, and two that are being
 * read. Frames may grow later; a batch is filled all the same.
 */
function planPool({ width, height }: OpenedVideo, batch: number, slots: number): Plan {
  const fitting = (w: number, h: number): number => Math.floor(POOL_BYTES / pictureBytes("yuv420p", w, h));
  const size = Math.max(1, Math.min(batch, Math.floor(fitting(width, height) / 3)));
  return { batch: size, pool: (w, h) => Math.max(size + 1, Math.min(2 * slots * size + 2, fitting(w, h))) };
}

function headerOf(
  { path, settings }: VideoJob,
  model: AnnotationModel,
  { width, height, timeBase, ...video }: OpenedVideo,
  identity: { readonly bytes?: number; readonly digest?: string },
  batch: number,
): AnnotationHeader {
  const { rotation, codec, frameRate, pixelAspect, duration } = video;
  const size = { width, height, pixelAspect, rotation };
  const source: VideoSource = {
    kind: "video",
    path,
    ...identity,
    ...size,
    codec,
    frameRate,
    duration,
    timeBase: [...timeBase],
  } as const;
  const header = { type: "header", format: 1, multibox: packageVersion(), source, model } as const;
  return { ...header, settings: { ...settings, batch } };
}

const interrupted = (): MultiboxError =>
  new MultiboxError("INTERRUPTED", "The run was interrupted.", "Go on with it by --resume.");

const nothingLeft = (path: string): MultiboxError =>
  new MultiboxError("STREAM_EMPTY", `No frame of ${path} was to be looked at.`, "Widen --start and --end.");

const noKeyframes = (): MultiboxError =>
  new MultiboxError(
    "STDIN_ONCE",
    "Of standard input --keyframes cannot tell the frames' numbers, for which it is read twice.",
    "Give a file.",
  );
