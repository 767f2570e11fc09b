// From when to when a frame is on the screen, and where subtitles, whose clock is coarser, may change over.
import type { AnnotationHeader, AnnotationLine, FrameLine } from "./annotation.ts";

/** A frame's line with the seconds of the source in which what it says holds. */
export interface FrameInterval {
  readonly line: FrameLine;
  readonly start: number;
  readonly end: number;
  /** Whether the next line is about the very next frame. */
  readonly consecutive: boolean;
}

/**
 * A frame lasts until the next one. Where frames between two lines were not looked at, boxes stay up until the next line, but not
 * longer than this: an object has moved on by then.
 */
export const LONGEST_HOLD = 0.5;
const UNKNOWN_DURATION = 0.04;

/** Each line with the time of the next; lines of pictures have none, and are a mistake here. */
export async function* frameIntervals(
  header: AnnotationHeader,
  lines: AsyncIterable<AnnotationLine>,
): AsyncGenerator<FrameInterval, void> {
  let before: FrameLine | undefined;
  let gap: number | undefined;
  for await (const line of lines) {
    if ("file" in line) throw new Error("Pictures have no time.");
    if (before) {
      gap = Math.max(0, line.pts - before.pts);
      const consecutive = line.index - before.index === 1;
      const end = before.pts + (consecutive ? gap : Math.min(gap, LONGEST_HOLD));
      yield { line: before, start: before.pts, end, consecutive };
    }
    before = line;
  }
  if (!before) return;
  const rate = header.source.kind === "video" ? header.source.frameRate : undefined;
  const last = rate ? rate[1] / rate[0] : Math.min(gap ?? UNKNOWN_DURATION, LONGEST_HOLD);
  yield { line: before, start: before.pts, end: before.pts + last, consecutive: false };
}

/** A frame's line with when it is shown, in ticks of a coarser clock: from the first, up to but without the second. */
export interface TickInterval {
  readonly line: FrameLine;
  readonly from: number;
  readonly to: number;
}

/** The same by a clock of `ticks` a second that starts at `zero` seconds of the source. Neighbours never overlap. */
export async function* tickIntervals(
  header: AnnotationHeader,
  lines: AsyncIterable<AnnotationLine>,
  zero: number,
  ticks: number,
): AsyncGenerator<TickInterval, void> {
  let from = 0;
  let before: number | undefined;
  for await (const { line, start, end, consecutive } of frameIntervals(header, lines)) {
    // What was on before may have ended earlier, where frames were left out.
    if (before === undefined || start > before) from = Math.max(0, Math.floor((start - zero) * ticks + ROUNDING));
    const to = Math.max(from, changeOver(start - zero, end - zero, consecutive, ticks));
    yield { line, from, to };
    from = to;
    before = end + ROUNDING;
  }
}

/** The same by a clock that counts frames: `ticks` for each, from the first of the video on, shown or not. */
export async function* indexIntervals(
  lines: AsyncIterable<AnnotationLine>,
  ticks: number,
): AsyncGenerator<TickInterval, void> {
  let before: FrameLine | undefined;
  for await (const line of lines) {
    if ("file" in line) throw new Error("Images have no time.");
    if (before) {
      const [frames, gap] = [line.index - before.index, line.pts - before.pts];
      const held = gap > LONGEST_HOLD ? Math.ceil((frames * LONGEST_HOLD) / gap) : frames;
      yield { line: before, from: before.index * ticks, to: (before.index + held) * ticks };
    }
    before = line;
  }
  if (before) yield { line: before, from: before.index * ticks, to: (before.index + 1) * ticks };
}

/**
 * Where a clock of `ticks` a second changes from one frame to what follows, in ticks. Between two frames it is as near as can be to
 * the middle, so that players which round times up or down show each its own; but after the first frame's millisecond and
 * not after the second's, which is how ffmpeg asks libass. Where a frame is held, the time of its end itself.
 */
export function changeOver(from: number, to: number, consecutive: boolean, ticks: number): number {
  const latest = Math.floor(to * ticks + ROUNDING);
  if (!consecutive) return Math.max(0, latest);
  const middle = Math.round(((from + to) / 2) * ticks);
  const earliest = Math.floor(from * ticks + ROUNDING) + 1;
  return Math.max(0, Math.min(Math.max(middle, earliest), latest));
}

/** 0.29 * 100 is a little less than 29. */
const ROUNDING = 1e-6;
