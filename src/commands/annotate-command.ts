// The arguments of `multibox annotate`.
import { type Command, InvalidArgumentError, type Option } from "commander";
import { defaultCacheDir } from "../cache-dir.ts";
import { postProcessOf } from "../config.ts";
import { loadConfig } from "../load-config.ts";
import { collect, seconds, wholeNumber } from "./arguments.ts";

/** Adds the command. `settings` are the options that open a model and post-process, as every command has them. */
export function addAnnotateCommand(program: Command, settings: readonly Option[]): void {
  const command = program
    .command("annotate")
    .description("Find the objects in every frame of videos, and write them in the forms that people use")
    .argument("<video...>", "Video files, folders of them, or - for standard input")
    .option("--out <what>", "A form, a file whose ending says which, or form=file; may be given several times", collect)
    .option("--out-dir <folder>", "Where outputs go that have no path; beside the video if absent")
    .option("--every <n>", "Only every nth frame", wholeNumber)
    .option("--fps <rate>", "The most frames a second of the video", positive)
    .option("--start <time>", "Leave out what comes before: seconds, or 1:30", seconds)
    .option("--end <time>", "Leave out what comes from then on", seconds)
    .option("--keyframes", "Only key frames: a quick look")
    .option("--min-score <value>", "Leave out detections below this score, 0..1 (default: 0.3)")
    .option("--labels <label...>", "Only these labels")
    .option(
      "--soft",
      "The boxed video keeps its picture, and has the boxes as a track to switch on and off (.mkv)",
      false,
    )
    .option("--codec <name>", "Encoder of the boxed video, as ffmpeg names it: libx265, h264_nvenc (default: libx264)")
    .option("--crf <n>", "Its quality: lower is better and larger (default: 20)", quality)
    .option("--preset <name>", "How hard it tries, as the encoder names it (default: veryfast)")
    .option("--jobs <n>", "Videos at the same time (default: 2 of several)", wholeNumber)
    .option("--resume", "Go on with what an interrupted run has left, and leave what is whole", false)
    .option("--force", "Replace outputs that are there", false)
    .option("--json", "Print events as lines of JSON", false);
  for (const option of settings) command.addOption(option);
  command
    .addHelpText(
      "after",
      `
Without --out, JSON lines are written beside the video. Ctrl-C keeps what is done, and --resume goes on from there.

Examples:
  multibox annotate in.mp4
  multibox annotate in.mp4 --out video
  multibox annotate in.mp4 --out found.jsonl --out coco=found.json
  multibox annotate videos --out csv --out-dir found --jobs 4`,
    )
    .action(async (inputs: string[], { out, outDir, labels, jobs, resume, force, json, ...flags }: AnnotateFlags) => {
      const { every, fps, start, end, keyframes, soft, codec, crf, preset, ...own } = flags;
      const config = await loadConfig({ env: process.env, flags: own });
      const { annotateVideos } = await import("./annotate.ts");
      const failed = await annotateVideos(inputs, {
        ...config,
        cacheDir: config.cacheDir ?? defaultCacheDir(),
        postProcess: postProcessOf(config),
        selection: { every, fps, start, end, keyframes },
        soft,
        encoding: { codec, crf, preset },
        out: out ?? ["jsonl"],
        outDir,
        labels,
        jobs,
        resume,
        force,
        json,
      });
      if (failed > 0) process.exitCode = 1;
    });
}

interface AnnotateFlags extends Record<string, unknown> {
  readonly out?: string[];
  readonly outDir?: string;
  readonly every?: number;
  readonly fps?: number;
  readonly start?: number;
  readonly end?: number;
  readonly keyframes?: boolean;
  readonly soft: boolean;
  readonly codec?: string;
  readonly crf?: number;
  readonly preset?: string;
  readonly labels?: string[];
  readonly jobs?: number;
  readonly resume: boolean;
  readonly force: boolean;
  readonly json: boolean;
}

function quality(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= 0 && value <= 63))
    throw new InvalidArgumentError("It must be a number from 0 to 63.");
  return value;
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 1000)) throw new InvalidArgumentError("It must be a number above 0, at most 1000.");
  return value;
}
