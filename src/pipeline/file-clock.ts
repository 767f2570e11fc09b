// The clock of a file: its own times pass through ffmpeg without loss, and where they jump a new segment begins.
//
// ffmpeg's muxers raise a time that does not increase by one tick, so a clock that goes back (recordings that were joined) and equal
// times would be lost on the way. Therefore the filter below encodes the steps between times, which are then always positive:
// a step of d ticks ahead as 2d, a step of d ticks back as 2d + 1. `createFileClock` decodes them. Both count whole ticks below 2^53,
// those of the file: NUT may divide them further, so `showinfo` prints what they are.

/**
 * For `-filter:v`; needs `-reinit_filter 0`, because its state must survive a change of the image size. State 0 is the last time in,
 * state 1 the last time out. A frame without a time is taken for one frame after the last.
 */
export const CODED_CLOCK = [
  "setpts='",
  "st(2,if(isnan(PTS),if(eq(N,0),0,ld(0)+if(isnan(FR),0,round(1/(FR*TB)))),PTS));",
  "st(1,if(eq(N,0),2*ld(2),ld(1)+if(lt(ld(0),ld(2)),2*(ld(2)-ld(0)),2*(ld(0)-ld(2))+1)));",
  "st(0,ld(2));ld(1)'",
].join("");

/**
 * NUT cannot hold times below 0, which some files begin with, and would shift all of them; so its clock runs ahead by a number of
 * seconds that is whole in every time base, and this is taken off again.
 */
export const AHEAD_SECONDS = 1_000_000;

/**
 * Two outputs, both in one NUT stream: rows of gray as wide as each frame, then the frames in their own size. ffmpeg would scale a frame
 * of another size than the first to that size without a word; without setting up its filters again it does not, and the width
 * (with the bytes of a frame it gives the height) must come by a channel of its own. `filters` begin both; `scale` is the size of
 * the frames in terms of `iw` and `ih`.
 */
export function fileOutputs(
  syncOption: string,
  { filters = [], width = "iw", height = "ih", flags = "bicubic" }: FileFrames = {},
): string[] {
  const graph = (...last: string[]): string => [...filters, CODED_CLOCK, ...last].join(",");
  const watched = (chain: string): string => `split[main][watch];[watch]select=0,showinfo,nullsink;[main]${chain}`;
  return [
    ..."-map 0:V:0 -map 0:V:0 -an -sn -dn".split(" "),
    "-filter:v:0",
    graph(`scale=w=${width}:h=1:eval=frame:flags=neighbor`, "format=gray"),
    "-filter:v:1",
    watched(graph(`scale=w=${width}:h=${height}:eval=frame:flags=${flags}`, "format=yuv420p")),
    syncOption,
    ..."passthrough -enc_time_base -1 -c:v rawvideo -threads 1".split(" "),
    ..."-f nut -write_index 0 -avoid_negative_ts disabled -output_ts_offset".split(" "),
    String(AHEAD_SECONDS),
  ];
}

export interface FileFrames {
  /** Before all others. They may leave frames out. */
  readonly filters?: readonly string[];
  readonly width?: string;
  readonly height?: string;
  /** How ffmpeg scales and converts. */
  readonly flags?: string;
}

/** Seconds of a tick of the file's clock, from what `showinfo` prints before the first frame: `config in time_base: 1/1000, ...`. */
export function clockTimeBase(line: string): readonly [numerator: number, denominator: number] | undefined {
  const [, numerator, denominator] = /\] config in time_base: (\d+)\/(\d+)/.exec(line) ?? [];
  return Number(numerator) > 0 && Number(denominator) > 0 ? [Number(numerator), Number(denominator)] : undefined;
}

/** For ffmpeg's input, with `fileOutputs`. */
export const FILE_INPUT = ["-reinit_filter", "0"] as const;

/** A time of a file. */
export interface FileTime {
  /** Never falls: the source's time plus the offset of its segment. */
  readonly ticks: number;
  /** As the file has it. */
  readonly sourceTicks: number;
  /** A new segment begins here: the source's time of the frame before. */
  readonly jumpedFrom?: number;
}

export interface ClockSettings {
  /** A step ahead of more than this begins a new segment. */
  readonly leapTicks: number;
  /** The duration of a frame, for a jump before there was any step. */
  readonly frameTicks: number;
}

/**
 * Decodes the coded times of a file's frames, in order, and applies the rule for jumps: where the clock goes back, or leaps ahead by more
 * than `leapTicks`, a new segment begins, whose offset puts its first frame one step after the last one; the step is the last
 * one within a segment. Equal times stay equal.
 */
export function createFileClock({ leapTicks, frameTicks }: ClockSettings): (codedTicks: number) => FileTime {
  let coded = 0;
  let source: number | undefined;
  let offset = 0;
  let usual = frameTicks;
  return (codedTicks) => {
    if (source === undefined) {
      source = codedTicks / 2;
      coded = codedTicks;
      return { ticks: source, sourceTicks: source };
    }
    const code = codedTicks - coded;
    coded = codedTicks;
    const step = code % 2 === 0 ? code / 2 : -(code - 1) / 2;
    const before = source;
    source += step;
    if (step < 0 || step > leapTicks) {
      offset += usual - step;
      return { ticks: source + offset, sourceTicks: source, jumpedFrom: before };
    }
    if (step > 0) usual = step;
    return { ticks: source + offset, sourceTicks: source };
  };
}

/** Formats that ffmpeg knows to have clocks that jump: there it corrects a leap of this many seconds itself, elsewhere one of 30 hours. */
const LEAPING = /^(mpegts|mpegtsraw|mpeg|ogg|hls|nsv|wtv|dvbsub|rtp)$/;

/** Seconds, by the name that ffmpeg gives the format of the input. */
export const longestStep = (format: string | undefined): number =>
  format !== undefined && LEAPING.test(format) ? 10 : 30 * 3600;
