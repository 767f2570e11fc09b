// The video with its boxes: drawn into the picture by ffmpeg, or beside it as a track of subtitles. No picture goes through Node.
import { rm } from "node:fs/promises";
import { MultiboxError } from "../../errors.ts";
import { fileConfinement } from "../../pipeline/file-formats.ts";
import { runFfmpeg, type FfmpegRun } from "../../pipeline/ffmpeg.ts";
import { FILE_INPUT } from "../../pipeline/file-clock.ts";
import { ffmpegLists } from "../../pipeline/ffmpeg-lists.ts";
import type { Ffmpeg } from "../../pipeline/find-ffmpeg.ts";
import type { FrameLine, VideoSource } from "../annotation.ts";
import type { Annotations } from "../annotation-file.ts";
import { assTrack, type AssOptions } from "../drawing/ass.ts";
import type { AnnotationFormat, ConvertContext } from "../format.ts";
import { fileUrl, type Media, probeMedia } from "../media.ts";
import { writePieces } from "../writers/text-writer.ts";
import { containerOf, keptStreams } from "./containers.ts";
import { chooseEncoder, threadOptions } from "./encoders.ts";
import { filterPath } from "./filter-path.ts";
import { afterDrawing, beforeDrawing, isOdd, SECONDS_PER_FRAME } from "./odd-frames.ts";

export const videoFormat: AnnotationFormat = {
  name: "video",
  title: "the video with its boxes",
  kind: "file",
  suffix: "-boxed.mp4",
  endings: [".mp4", ".m4v", ".mov", ".mkv"],
  only: "video",
  async check({ video, ffmpeg, encoding = {} }) {
    const tools = requireVideo(video, ffmpeg);
    if (!(await ffmpegLists(tools.ffmpeg, "filters")).has("ass")) throw noLibass(tools.ffmpeg);
    await chooseEncoder(tools.ffmpeg, encoding, () => undefined);
  },
  convert: async (annotations, target, context) => await burnIn(await prepare(annotations, target, context)),
};

export const softVideoFormat: AnnotationFormat = {
  name: "soft-video",
  title: "the video with its boxes as a track to switch on and off",
  kind: "file",
  suffix: "-boxed.mkv",
  endings: [],
  only: "video",
  check: async ({ video, ffmpeg }) => void (await Promise.resolve(requireVideo(video, ffmpeg))),
  convert: async (annotations, target, context) => await addTrack(await prepare(annotations, target, context)),
};

/** Fails with SOFT_NEEDS_MKV where no track of boxes can go into the file. */
export function requireTrackContainer(path: string): void {
  const container = containerOf(path);
  if (container === "mkv") return;
  throw new MultiboxError(
    "SOFT_NEEDS_MKV",
    `.${container} cannot carry the boxes as a track (ASS).`,
    "Name an output that ends in .mkv, or leave out --soft to have them drawn into the picture.",
  );
}

interface Job {
  readonly annotations: Annotations;
  readonly source: VideoSource;
  readonly video: string;
  readonly ffmpeg: Ffmpeg;
  readonly media: Media;
  readonly target: string;
  readonly context: ConvertContext;
  readonly onWarning: (sentence: string) => void;
}

async function prepare(annotations: Annotations, target: string, context: ConvertContext): Promise<Job> {
  const { video, ffmpeg } = requireVideo(context.video, context.ffmpeg);
  const { source } = annotations.header;
  if (source.kind !== "video") throw new Error("Pictures are no video.");
  containerOf(target);
  const media = await probeMedia(ffmpeg, video);
  const onWarning = context.onWarning ?? ((): void => undefined);
  return { annotations, source, video, ffmpeg, media, target, context, onWarning };
}

function requireVideo(video: string | undefined, ffmpeg: Ffmpeg | undefined): { video: string; ffmpeg: Ffmpeg } {
  if (video !== undefined && ffmpeg !== undefined) return { video, ffmpeg };
  const hint = "Annotate a file, which can be read twice.";
  throw new MultiboxError("VIDEO_NEEDED", "There is no video to draw the boxes into: it comes by a pipe.", hint);
}

/**
 * libass draws while ffmpeg encodes. While it does, time runs slower by this, because its clock has hundredths of a second; times
 * are the source's again afterwards, to the tick.
 */
const SLOWNESS = 100;

async function burnIn(job: Job): Promise<void> {
  const { ffmpeg, media, target, source, context, onWarning } = job;
  const encoder = await chooseEncoder(ffmpeg, context.encoding ?? {}, onWarning);
  if (isOld(ffmpeg))
    onWarning(
      `ffmpeg ${ffmpeg.version} is older than 5.1: frames of a video whose rate varies may be moved or left out.`,
    );
  const container = containerOf(target);
  const even = source.width % 2 === 0 && source.height % 2 === 0;
  const odd = await isOdd(job.annotations);
  const clock = odd ? { secondsPerFrame: SECONDS_PER_FRAME } : { start: media.start, slowness: SLOWNESS };
  await withTrack(job, { clock, fit: "bars" }, async (track) => {
    const filters = [
      ...(odd ? beforeDrawing(source) : [`setpts=PTS*${SLOWNESS}`]),
      `ass=filename=${filterPath(track)}`,
      ...(odd ? afterDrawing : [`setpts=PTS/${SLOWNESS}`]),
      // Encoders of 4:2:0 want even sides: an odd one gets a black line more.
      ...(even ? [] : ["pad=ceil(iw/2)*2:ceil(ih/2)*2"]),
      ...encoder.filters,
    ];
    await run(job, {
      inputs: [
        {
          url: fileUrl(job.video),
          options: [
            ...fileConfinement(),
            ...encoder.device,
            ...threadOptions(context.encoding?.threads),
            ...(odd ? FILE_INPUT : []),
          ],
        },
      ],
      outputOptions: [
        "-map",
        "0:V:0",
        ...keptStreams(media, container, onWarning),
        ...KEPT,
        "-vf",
        filters.join(","),
        ...encoder.options,
        // Each frame once and at its own time, in the source's ticks.
        ffmpeg.syncOption,
        "passthrough",
        ...(isOld(ffmpeg) ? [] : ["-enc_time_base", "-1"]),
        ...(container === "mkv" ? [] : ["-movflags", "+faststart"]),
        ...(/hevc|x265/.test(encoder.name) && container !== "mkv" ? ["-tag:v", "hvc1"] : []),
      ],
    });
  });
}

async function addTrack(job: Job): Promise<void> {
  const { media, target, onWarning } = job;
  requireTrackContainer(target);
  const earlier = media.streams.filter(({ kind }) => kind === "subtitle").length;
  await withTrack(job, { clock: { start: media.start, slowness: 1 }, fit: "stretch" }, async (track) => {
    await run(job, {
      inputs: [
        { url: fileUrl(job.video), options: [...fileConfinement(), "-fflags", "+genpts"] },
        { url: fileUrl(track), options: ["-f", "ass"] },
      ],
      outputOptions: [
        "-map",
        "0:V:0",
        "-c:v",
        "copy",
        ...keptStreams(media, "mkv", onWarning),
        ...KEPT,
        "-map",
        "1:0",
        `-c:s:${earlier}`,
        "copy",
        `-metadata:s:s:${earlier}`,
        "title=Boxes (multibox)",
        `-disposition:s:${earlier}`,
        "default",
      ],
    });
  });
}

const KEPT = ["-map_metadata", "0", "-map_chapters", "0", "-max_muxing_queue_size", "9999"];

/** Writes the track beside the target for as long as it is needed. */
async function withTrack(
  job: Job,
  options: Pick<AssOptions, "clock" | "fit">,
  use: (track: string) => Promise<void>,
): Promise<void> {
  const { annotations, source: size, target, context } = job;
  const track = `${target}.ass`;
  try {
    await writePieces(track, assTrack(annotations.header, annotations.lines(), { ...options, size }), context.signal);
    await use(track);
  } finally {
    await rm(track, { force: true });
  }
}

async function run(job: Job, { inputs, outputOptions }: Pick<FfmpegRun, "inputs" | "outputOptions">): Promise<void> {
  const { ffmpeg, target, media, context, video } = job;
  const length = await lastTime(job);
  let noFont = false;
  context.signal?.throwIfAborted();
  const handle = runFfmpeg({
    ffmpeg,
    inputs,
    outputOptions: [...outputOptions, "-progress", "pipe:2"],
    output: fileUrl(target),
    // Encoders of 4K look ahead over dozens of frames.
    maxMemoryMb: 16_384,
    onLine: (line) => {
      // Microseconds, whatever the name says: it was wrong when it was made.
      const done = /^out_time_ms=(\d+)/.exec(line)?.[1];
      if (done !== undefined && length > 0)
        context.onProgress?.(Math.min(1, Number(done) / 1e6 / (length - media.start)));
      noFont ||= line.includes("failed to find any fallback with glyph 0x0 ");
    },
  });
  const stop = (): void => handle.kill("SIGKILL");
  context.signal?.addEventListener("abort", stop);
  try {
    const { code, stderrTail } = await handle.done;
    context.signal?.throwIfAborted();
    if (code !== 0) {
      const errors = stderrTail.filter((line) => /\[(error|fatal)\]/.test(line));
      const why = errors.at(-1) ?? stderrTail.at(-1) ?? "it said nothing";
      if (errors.some((line) => line.includes("No space left")))
        throw new MultiboxError("DISK_FULL", `There is no space left for ${target}.`, "Choose another file.");
      throw new MultiboxError("FFMPEG_FAILED", `ffmpeg could not draw boxes into ${video}: ${why}`);
    }
  } finally {
    context.signal?.removeEventListener("abort", stop);
  }
  if (noFont)
    throw new MultiboxError(
      "FONT_MISSING",
      "libass found no font, and draws neither labels nor boxes without one.",
      "Install one (`apt install fonts-dejavu-core`), or keep the boxes as a track with --soft.",
    );
}

/**
 * Before 5.1 frames that are not timed in the frame rate's own ticks have no duration, and the last one of an MP4 is lost. So
 * these keep to the rate's ticks, which is exact where the rate is constant.
 */
const isOld = ({ syncOption }: Ffmpeg): boolean => syncOption === "-vsync";

function noLibass({ version, path }: Ffmpeg): MultiboxError {
  const hint =
    "Install one that has it (`apt install ffmpeg`, `brew install ffmpeg-full`) or name one in FFMPEG_PATH; or keep the boxes as a track with --soft.";
  const what = `ffmpeg ${version} (${path}) was built without libass, which draws the boxes.`;
  return new MultiboxError("FFMPEG_NO_LIBASS", what, hint);
}

/** When the last frame is; the duration that a file gives may be absent. */
async function lastTime({ source, annotations, context }: Job): Promise<number> {
  if (source.duration !== undefined || !context.onProgress) return source.duration ?? 0;
  let last = 0;
  for await (const line of annotations.lines()) last = (line as FrameLine).pts;
  return last;
}
