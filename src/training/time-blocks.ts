// Streams of images in the order of time, and the block at the end of each that validates.
import { bitsBetween, hashWords, LOOK_ALIKE_BITS } from "./look-alikes.ts";
import type { Moment } from "./time-of-image.ts";

export interface Timed {
  /** Perceptual hash: 64 bits, in hexadecimal digits. */
  readonly hash: string;
  readonly moment?: Moment | undefined;
}

/** The images of one stream, in the order of time. */
export interface Stream {
  /** In the list of all images. */
  readonly places: readonly number[];
  /** Of each, in seconds, where times are known and not only their order. */
  readonly times?: readonly number[] | undefined;
}

export interface Streams {
  readonly streams: readonly Stream[];
  /** Places of the images that are in none of them. */
  readonly rest: readonly number[];
}

/** Names that end in numbers make a stream of at least this many images. */
const LEAST_NUMBERED = 20;
const LEAST_ORDERED = 10;
/** A difference of this many standard errors between neighbours and other pairs is not by chance. */
const STANDARD_ERRORS = 4;
/** Neighbours in time differ in at most this share of the bits of other pairs. */
const NEIGHBOURS_SHARE = 0.8;

/**
 * Images with a capture time, or with a date and time in their file names, are in the order of time. Numbers in file names are trusted
 * only where the images confirm them, because most collections number their images: at least 20 images whose names differ in nothing else
 * than the number, and of which neighbours look more alike than images far apart, or of which all look alike, as a fixed camera's do.
 */
export function streamsInTime(images: readonly Timed[]): Streams {
  const found = streamsOf(images).map((stream) => ({
    ...stream,
    isKnown: stream.times !== undefined || (stream.places.length >= LEAST_NUMBERED && isContinuous(stream, images)),
  }));
  const streams = found.filter(({ isKnown }) => isKnown);
  const taken = new Set(streams.flatMap(({ places }) => places));
  return { streams, rest: images.flatMap((_, i) => (taken.has(i) ? [] : [i])) };
}

/**
 * All images in the order that their moments give, whether or not the images confirm it. Where names share a number with fewer than ten
 * others, the order of the list counts; `unknown` is how many these are.
 */
export function streamsInOrder(images: readonly Timed[]): {
  readonly streams: readonly Stream[];
  readonly unknown: number;
} {
  const named = streamsOf(images).filter(
    ({ places, times }) => times !== undefined || places.length >= LEAST_ORDERED || places.length === images.length,
  );
  const taken = new Set(named.flatMap(({ places }) => places));
  const others = images.flatMap((_, i) => (taken.has(i) ? [] : [i]));
  return { streams: [...named, ...(others.length > 0 ? [{ places: others }] : [])], unknown: others.length };
}

export interface Blocks {
  readonly training: readonly number[];
  readonly validation: readonly number[];
  /** Between the two, used by neither. */
  readonly gap: readonly number[];
}

/** Whatever stands still for less than this is on one side only. */
const GAP_SECONDS = 60;
/** Where only the order is known. */
const GAP_SHARE = 0.05;
/** However long it takes. */
const LARGEST_GAP = 0.1;

/**
 * The last images of each stream validate, so that each stream is judged, and on what comes after the images that are trained on, as it will
 * be used. In between is a gap: the images of the last 60 seconds before the block, or a twentieth of the stream where no times are known;
 * at most a tenth of the stream.
 */
export function lastBlocks(streams: readonly Stream[], share: number): Blocks {
  const counts = countsOf(
    streams.map(({ places }) => places.length),
    share,
  );
  const parts = streams.map(({ places, times }, i) => {
    const from = places.length - counts[i]!;
    const gap = counts[i] === 0 ? 0 : Math.min(gapOf(places.length, from, times), from - 1);
    return {
      training: places.slice(0, from - gap),
      gap: places.slice(from - gap, from),
      validation: places.slice(from),
    };
  });
  const ascending = (part: keyof Blocks): number[] => parts.flatMap((one) => one[part]).toSorted((a, b) => a - b);
  return { training: ascending("training"), validation: ascending("validation"), gap: ascending("gap") };
}

/** How many images of each stream validate: its share, rounded so that all together have theirs (largest remainders). Each keeps one image. */
function countsOf(lengths: readonly number[], share: number): number[] {
  const most = lengths.map((length) => length - 1);
  const counts = lengths.map((length, i) => Math.min(most[i]!, Math.floor(share * length)));
  const all = lengths.reduce((sum, length) => sum + length, 0);
  let left = Math.max(1, Math.round(share * all)) - counts.reduce((sum, count) => sum + count, 0);
  const byRemainder = [...lengths.keys()].toSorted((a, b) => ((share * lengths[b]!) % 1) - ((share * lengths[a]!) % 1));
  for (const i of byRemainder) {
    if (left <= 0) break;
    if (counts[i]! >= most[i]!) continue;
    counts[i]! += 1;
    left -= 1;
  }
  return counts;
}

function gapOf(count: number, from: number, times: readonly number[] | undefined): number {
  const most = Math.floor(LARGEST_GAP * count);
  if (!times) return Math.min(most, Math.ceil(GAP_SHARE * count));
  const close = times.slice(0, from).filter((time) => time > times[from]! - GAP_SECONDS);
  return Math.min(most, close.length);
}

function streamsOf(images: readonly Timed[]): Stream[] {
  const byName = new Map<string, { readonly place: number; readonly moment: Moment }[]>();
  for (const [place, { moment }] of images.entries()) {
    if (!moment) continue;
    const name = `${moment.unit} ${moment.stream}`;
    const stream = byName.get(name);
    if (stream) stream.push({ place, moment });
    else byName.set(name, [{ place, moment }]);
  }
  return [...byName.values()].map((stream) => {
    const sorted = stream.toSorted((a, b) => a.moment.at - b.moment.at || a.place - b.place);
    const isTimed = sorted[0]!.moment.unit === "seconds";
    return {
      places: sorted.map(({ place }) => place),
      ...(isTimed && { times: sorted.map(({ moment }) => moment.at) }),
    };
  });
}

/** Whether the images look as if they were taken in this order. */
function isContinuous({ places }: Stream, images: readonly Timed[]): boolean {
  const hashes = places.map((place) => hashWords(images[place]!.hash));
  const half = Math.floor(hashes.length / 2);
  const distances = (apart: number): number[] => hashes.slice(apart).map((hash, i) => bitsBetween(hash, hashes[i]!));
  const [near, far] = [distances(1), distances(half)];
  const [nearMean, farMean] = [mean(near), mean(far)];
  if (nearMean <= LOOK_ALIKE_BITS) return true;
  const deviation = Math.sqrt(mean(far.map((bits) => (bits - farMean) ** 2)));
  const standardError = deviation * Math.sqrt(1 / near.length + 1 / far.length);
  return nearMean <= NEIGHBOURS_SHARE * farMean && farMean - nearMean > STANDARD_ERRORS * standardError;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
