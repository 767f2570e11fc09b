// A grey clip with a box that moves, boxed, and where the box is on each frame of the outcome.
import { execFile } from "node:child_process";
import { mkdir, rename } from "node:fs/promises";
import { extname, join } from "node:path";
import { promisify } from "node:util";
import { expect } from "vitest";
import type { FrameLine, VideoSource } from "../../../src/annotate/annotation.ts";
import { labelColours } from "../../../src/annotate/drawing/label-colours.ts";
import type { AnnotationFormat, ConvertContext } from "../../../src/annotate/format.ts";
import { videoFormat } from "../../../src/annotate/video/boxed-video.ts";
import { findFfmpeg } from "../../../src/pipeline/find-ffmpeg.ts";
import { ffmpeg } from "../../support/ffmpeg.ts";
import { convert } from "./convert.ts";
import { exampleHeader } from "./example.ts";

export const SIZE = { width: 320, height: 240 };
export const H264 = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p";

export const grey = (rate: number, seconds: number, size = "320x240"): string =>
  `-f lavfi -i color=gray:s=${size}:r=${rate}:d=${seconds}`;

/** Where the box of a frame begins. */
export const leftOf = (index: number): number => 8 + ((index * 12) % 240);

export function boxLine(index: number, pts: number): FrameLine {
  const bbox = [leftOf(index), 100, 40, 80] as const;
  return { index, pts, detections: [{ bbox, score: 0.9, label: "person", classId: 1 }] };
}

export const boxLines = (count: number, rate: number): FrameLine[] =>
  Array.from({ length: count }, (_, index) => boxLine(index, index / rate));

/** Boxes the clip within a folder with an odd name; the outcome lies in `folder` under a plain one. */
export async function boxed(
  folder: string,
  clip: string,
  lines: readonly FrameLine[],
  context: ConvertContext = {},
  source: Partial<VideoSource> = SIZE,
  format: AnnotationFormat = videoFormat,
): Promise<string> {
  const into = join(folder, "it's [odd], 50%; a:b = c");
  await mkdir(into, { recursive: true });
  const tools = { video: clip, ffmpeg: await findFfmpeg(), ...context };
  const { target } = await convert(format, into, exampleHeader(source), lines, tools);
  const plain = join(folder, `boxed${extname(target)}`);
  await rename(target, plain);
  return plain;
}

/** Of each frame, from where to where its middle row has the label's colour; undefined where it has not. */
export async function boxSides(path: string, { width, height } = SIZE, row = 140): Promise<(number[] | undefined)[]> {
  const raw = await ffmpeg("-i", path, "-map 0:V:0 -vsync passthrough -f rawvideo -pix_fmt rgb24 -");
  const colour = [1, 3, 5].map((at) => Number.parseInt(labelColours("person").fill.slice(at, at + 2), 16));
  return Array.from({ length: raw.length / (width * height * 3) }, (_, frame) => {
    const at = (x: number): number => ((frame * height + row) * width + x) * 3;
    const like = (x: number): boolean => colour.every((value, c) => Math.abs(value - raw[at(x) + c]!) < 60);
    const found = Array.from({ length: width }, (__, x) => x).filter(like);
    return found.length === 0 ? undefined : [found[0]!, found.at(-1)!];
  });
}

/** Lines of 2 pixels, one outside of the box and one inside; chroma has half the places, so that one pixel more may be coloured. */
export function expectBoxes(sides: readonly (number[] | undefined)[], lefts: readonly (number | undefined)[]): void {
  expect(sides).toHaveLength(lefts.length);
  for (const [i, left] of lefts.entries()) {
    if (left === undefined) expect(sides[i], `frame ${i}`).toBeUndefined();
    else {
      expect(sides[i], `frame ${i}`).toBeDefined();
      expect(Math.abs(sides[i]![0]! - (left - 1)), `left of frame ${i}`).toBeLessThanOrEqual(2);
      expect(Math.abs(sides[i]![1]! - (left + 40)), `right of frame ${i}`).toBeLessThanOrEqual(2);
    }
  }
}

/** What ffprobe says, a line an entry. */
export async function probe(path: string, entries: string): Promise<string[]> {
  const args = ["-v", "error", "-show_entries", entries, "-of", "csv=p=0", path];
  return (await promisify(execFile)("ffprobe", args)).stdout.trim().split("\n");
}
