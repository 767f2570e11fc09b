// Runs annotateVideo in this process, with a detector that needs no network.
import { readFile } from "node:fs/promises";
import {
  annotateVideo,
  type VideoJob,
  type VideoResult,
  type VideoTools,
} from "../../../src/annotate/annotate-video.ts";
import type { AnnotationHeader, AnnotationSettings, FrameLine } from "../../../src/annotate/annotation.ts";
import type { Detector } from "../../../src/model/detector.ts";
import { findFfmpeg } from "../../../src/pipeline/find-ffmpeg.ts";
import { createGuard } from "../../../src/pipeline/guard.ts";
import { RedFinder } from "../../support/red-finder.ts";
import { exampleHeader } from "./example.ts";

export interface RunOptions extends Partial<Omit<VideoJob, "settings">> {
  readonly settings?: Partial<AnnotationSettings>;
  readonly tools?: Partial<VideoTools>;
  readonly detector?: Detector;
}

/** Annotates `path` into `target`, all frames unless settings say otherwise. */
export async function run(
  path: string,
  target: string,
  { settings, tools, detector = new RedFinder(), ...job }: RunOptions = {},
): Promise<VideoResult> {
  const model = { ...exampleHeader().model, name: "red-finder" };
  const opened = Promise.resolve({ detector, model });
  return annotateVideo(
    {
      path,
      target,
      settings: { minScore: 0.3, batch: 4, ...settings },
      resume: false,
      decodeThreads: 2,
      ...job,
    },
    { opened, slots: detector.slots, ffmpeg: await findFfmpeg(), guard: createGuard(), ...tools },
  );
}

export interface Read {
  readonly header: AnnotationHeader;
  readonly frames: FrameLine[];
}

export async function read(target: string): Promise<Read> {
  const [header, ...frames] = (await readFile(target, "utf8"))
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as unknown);
  return { header: header as AnnotationHeader, frames: frames as FrameLine[] };
}
