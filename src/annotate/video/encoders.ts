// Which encoder makes the boxed video: how each is told its quality, and what steps in where it does not open.
import { MultiboxError } from "../../errors.ts";
import { runFfmpeg } from "../../pipeline/ffmpeg.ts";
import { ffmpegLists } from "../../pipeline/ffmpeg-lists.ts";
import type { Ffmpeg } from "../../pipeline/find-ffmpeg.ts";

export interface EncoderWish {
  /** As ffmpeg names it: `libx264`, `h264_nvenc`. The best that is there when absent. */
  readonly codec?: string | undefined;
  /** Lower is better and larger; each encoder has its own scale. */
  readonly crf?: number | undefined;
  /** As the encoder names it: `veryfast`, `p4`. */
  readonly preset?: string | undefined;
  /** Of decoding and of encoding; as many as ffmpeg thinks right when absent. */
  readonly threads?: number | undefined;
}

/** An encoder that opened, as arguments of ffmpeg. */
export interface Encoder {
  readonly name: string;
  /** Before the inputs. */
  readonly device: readonly string[];
  /** Filters behind all others: the pixel format that it takes. */
  readonly filters: readonly string[];
  readonly options: readonly string[];
}

interface EncoderKind {
  readonly pattern: RegExp;
  readonly quality: (crf: number) => readonly string[];
  readonly crf: number;
  readonly preset?: string;
  /** Whether it knows presets at all. */
  readonly hasPreset: boolean;
  /** What players play everywhere, where the encoder would take more. */
  readonly format?: string;
  readonly device?: readonly string[];
  readonly upload?: boolean;
}

const VAAPI_DEVICE = ["-vaapi_device", "/dev/dri/renderD128"];
/** The first that matches. Quality is about that of H.264 at a CRF of 20: boxes have sharp edges. */
const KINDS: readonly EncoderKind[] = [
  { pattern: /^libx264$/, quality: option("-crf"), crf: 20, preset: "veryfast", hasPreset: true, format: "yuv420p" },
  { pattern: /^libx265$/, quality: option("-crf"), crf: 24, preset: "fast", hasPreset: true },
  { pattern: /^libsvtav1$/, quality: option("-crf"), crf: 30, preset: "8", hasPreset: true },
  { pattern: /^libvpx|^libaom/, quality: (crf) => ["-crf", `${crf}`, "-b:v", "0"], crf: 30, hasPreset: false },
  { pattern: /_nvenc$/, quality: (crf) => ["-rc", "vbr", "-cq", `${crf}`, "-b:v", "0"], crf: 23, hasPreset: true },
  { pattern: /_vaapi$/, quality: option("-qp"), crf: 22, hasPreset: false, device: VAAPI_DEVICE, upload: true },
  { pattern: /_qsv$/, quality: option("-global_quality"), crf: 22, hasPreset: true, format: "nv12" },
  // Its quality is 1..100, the higher the better.
  { pattern: /_videotoolbox$/, quality: (crf) => ["-q:v", `${Math.max(1, 100 - 2 * crf)}`], crf: 20, hasPreset: false },
  { pattern: /^libopenh264$/, quality: () => ["-b:v", "6M"], crf: 20, hasPreset: false, format: "yuv420p" },
  { pattern: /^mpeg4$|^libxvid$/, quality: option("-q:v"), crf: 3, hasPreset: false, format: "yuv420p" },
  { pattern: /./, quality: option("-crf"), crf: 23, hasPreset: true },
];

const HARDWARE = /_(nvenc|vaapi|qsv|videotoolbox|amf|v4l2m2m|omx|mf)$/;
/** MPEG-4 part 2 is in every ffmpeg. */
const SOFTWARE = ["libx264", "libopenh264", "mpeg4"] as const;

/**
 * The encoder that was wished for. All but the usual one are tried on two small pictures: drivers say what they lack only then.
 * Hardware that does not open is replaced by software with a warning. Fails with ENCODER_UNKNOWN for a name that this ffmpeg does not have, ENCODER_FAILED
 * where software does not open.
 */
export async function chooseEncoder(
  ffmpeg: Ffmpeg,
  wish: EncoderWish,
  onWarning: (sentence: string) => void,
): Promise<Encoder> {
  const known = await ffmpegLists(ffmpeg, "encoders");
  const software = SOFTWARE.find((name) => known.has(name)) ?? "mpeg4";
  const name = wish.codec ?? software;
  if (wish.codec === undefined && software !== "libx264")
    onWarning(`ffmpeg ${ffmpeg.version} has no libx264; the video is made by ${software}.`);
  if (!known.has(name) && !HARDWARE.test(name)) {
    const hint = "`ffmpeg -encoders` lists what it has.";
    throw new MultiboxError("ENCODER_UNKNOWN", `ffmpeg ${ffmpeg.version} has no encoder ${name}.`, hint);
  }
  const encoder = describeEncoder(name, wish);
  if (name === "libx264") return encoder;
  const why = known.has(name) ? await tryEncoder(ffmpeg, encoder) : `ffmpeg ${ffmpeg.version} was built without it`;
  if (why === undefined) return encoder;
  if (!HARDWARE.test(name))
    throw new MultiboxError("ENCODER_FAILED", `The encoder ${name} does not open: ${why}.`, "Choose another --codec.");
  onWarning(`The encoder ${name} does not open (${why}); ${software} makes the video instead.`);
  // Presets and qualities are an encoder's own.
  return describeEncoder(software, { threads: wish.threads });
}

export function describeEncoder(name: string, { crf, preset, threads }: EncoderWish): Encoder {
  const kind = KINDS.find(({ pattern }) => pattern.test(name))!;
  const chosen = preset ?? kind.preset;
  const presetOptions = chosen !== undefined && (kind.hasPreset || preset !== undefined) ? ["-preset", chosen] : [];
  const filters = kind.upload
    ? ["format=nv12", "hwupload"]
    : kind.format === undefined
      ? []
      : [`format=${kind.format}`];
  return {
    name,
    device: kind.device ?? [],
    filters,
    options: ["-c:v:0", name, ...kind.quality(crf ?? kind.crf), ...presetOptions, ...threadOptions(threads)],
  };
}

/** Why it does not open, or undefined where it does. */
async function tryEncoder(ffmpeg: Ffmpeg, { device, filters, options }: Encoder): Promise<string | undefined> {
  const { code, stderrTail } = await runFfmpeg({
    ffmpeg,
    inputs: [{ url: "color=s=256x256:r=25:d=0.08", options: [...device, "-f", "lavfi"] }],
    outputOptions: ["-vf", filters.join(",") || "null", ...options, "-f", "null"],
    output: "-",
  }).done;
  if (code === 0) return undefined;
  const first = stderrTail.find((line) => /\[(error|fatal)\]/.test(line)) ?? stderrTail.at(-1) ?? "it said nothing";
  return first.replace(/^\[[^\]]*\] (\[[a-z]+\] )?|^\[[a-z]+\] /, "").trim();
}

/** As ffmpeg takes it before an input or an output. */
export function threadOptions(threads: number | undefined): string[] {
  return threads === undefined ? [] : ["-threads", String(threads)];
}

function option(name: string): (crf: number) => readonly string[] {
  return (crf) => [name, `${crf}`];
}
