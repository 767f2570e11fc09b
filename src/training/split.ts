// Which images a training run trains on and which validate it: by time where the order in time is known, else by groups of look-alikes.
import { countOf } from "../count.ts";
import { MultiboxError } from "../errors.ts";
import { drawn, type Grouped, type Grouping, groupsOf, shuffledGroups } from "./look-alike-groups.ts";
import type { SplitBy, SplitRecord } from "./split-record.ts";
import { type Blocks, lastBlocks, type Stream, streamsInOrder, streamsInTime, type Timed } from "./time-blocks.ts";
import { LEAST_IMAGES, LEAST_OBJECTS } from "./verdict.ts";

export type SplitImage = Grouped & Timed & { readonly objects?: number };

export interface Split {
  readonly by: Exclude<SplitRecord["by"], "validation">;
  /** Places in the list that was given, in ascending order. */
  readonly training: readonly number[];
  readonly validation: readonly number[];
  /** Used by neither. */
  readonly gap: readonly number[];
  readonly streams?: number | undefined;
  /** Sentences for people. */
  readonly warnings: readonly string[];
}

export interface SplitOptions {
  /** Of the images that validate. */
  readonly share: number;
  readonly by: SplitBy;
  readonly seed: number;
}

/**
 * `auto`: the last block of each stream whose order in time is known (`streamsInTime`), larger where that lets it judge a model, and groups of look-alikes of all other images. Where
 * groups cannot give half of the share, the last images in order validate, with a warning. Fails with VALIDATION_EMPTY where nothing is left
 * for one of the sides.
 */
export function splitImages(images: readonly SplitImage[], { share, by, seed }: SplitOptions): Split {
  const split =
    by === "time"
      ? byTime(images, share)
      : by === "auto"
        ? byWhatIsKnown(images, share, seed)
        : byGroups(images, share, by, seed);
  if (split.training.length === 0 || split.validation.length === 0 || share === 0 || share === 1)
    throw nothingLeft(images.length, share);
  return split;
}

function byTime(images: readonly SplitImage[], share: number): Split {
  const { streams, unknown } = streamsInOrder(images);
  const sentence = `The order in time of ${countOf(unknown, "image")} is unknown: the order of the data set stands for it.`;
  const isUnknown = unknown === images.length;
  return {
    by: isUnknown ? "order" : "time",
    ...lastBlocks(streams, share),
    ...(!isUnknown && { streams: streams.length }),
    warnings: unknown > 0 ? [sentence] : [],
  };
}

function byWhatIsKnown(images: readonly SplitImage[], share: number, seed: number): Split {
  const { streams, rest } = streamsInTime(images);
  if (streams.length === 0) return byGroups(images, share, "hash", seed);
  if (rest.length === 0) return { by: "time", ...blocksThatJudge(streams, images, share), streams: streams.length };
  const blocks = lastBlocks(streams, share);
  const others = rest.length === 1 ? alone : byGroups(at(images, rest), share, "hash", seed);
  const joined = (part: "training" | "validation" | "gap"): number[] =>
    [...blocks[part], ...others[part].map((i) => rest[i]!)].toSorted((a, b) => a - b);
  const sentence = `The order in time of ${countOf(rest.length, "image")} of ${images.length} is unknown; these are split by groups of look-alikes.`;
  return {
    by: "time",
    training: joined("training"),
    validation: joined("validation"),
    gap: joined("gap"),
    streams: streams.length,
    warnings: [sentence, ...others.warnings],
  };
}

const LARGEST_SHARE = 1 / 3;

/** The last blocks, made larger, up to a third of the images, where that lets them judge a model and their share does not. */
function blocksThatJudge(
  streams: readonly Stream[],
  images: readonly SplitImage[],
  share: number,
): Blocks & Pick<Split, "warnings"> {
  const suffices = ({ validation }: Blocks): boolean =>
    validation.length >= LEAST_IMAGES && validation.reduce((sum, i) => sum + images[i]!.objects!, 0) >= LEAST_OBJECTS;
  const asked = lastBlocks(streams, share);
  if (images.some(({ objects }) => objects === undefined) || suffices(asked)) return { ...asked, warnings: [] };
  for (let count = asked.validation.length + 1; count <= LARGEST_SHARE * images.length; count++) {
    const larger = lastBlocks(streams, count / images.length);
    if (!suffices(larger)) continue;
    const sentence = `The last ${countOf(larger.validation.length, "image")} validate instead of ${asked.validation.length}, so that there are ${LEAST_IMAGES} images and ${LEAST_OBJECTS} objects to judge by.`;
    return { ...larger, warnings: [sentence] };
  }
  return { ...asked, warnings: [] };
}

/** A single image is not split. */
const alone: Pick<Split, "training" | "validation" | "gap" | "warnings"> = {
  training: [0],
  validation: [],
  gap: [],
  warnings: [],
};

function byGroups(images: readonly SplitImage[], share: number, by: "hash" | "day", seed: number): Split {
  const validation = drawGroups(images, share, by === "hash" ? "look-alikes" : "days", seed);
  const wanted = wantedOf(images.length, share);
  if (validation.length * 2 >= wanted && validation.length < images.length) {
    const chosen = new Set(validation);
    const training = images.flatMap((_, i) => (chosen.has(i) ? [] : [i]));
    return { by, training, validation: validation.toSorted((a, b) => a - b), gap: [], warnings: [] };
  }
  const fallback = byTime(images, share);
  const groups = by === "hash" ? "groups of look-alikes" : "whole days";
  const last = fallback.by === "time" ? "the last images by capture time or number" : "the last images of the data set";
  const sentence = `By ${groups} only ${validation.length} of ${countOf(images.length, "image")} could validate instead of ${wanted}: ${last} validate, and may look like some that are trained on.`;
  return { ...fallback, warnings: [sentence] };
}

/** Groups as the seed draws them, up to the share; where these are less than half of it, the smallest group that helps, up to half of all images. */
function drawGroups(images: readonly SplitImage[], share: number, grouping: Grouping, seed: number): number[] {
  const wanted = wantedOf(images.length, share);
  const order = shuffledGroups(groupsOf(images, grouping), seed);
  const chosen = drawn(order, wanted);
  const places = chosen.flat();
  if (places.length * 2 >= wanted) return places;
  const most = Math.max(wanted, images.length / 2);
  const more = order
    .filter((group) => !chosen.includes(group))
    .filter(({ length }) => (places.length + length) * 2 >= wanted && places.length + length <= most)
    .toSorted((a, b) => a.length - b.length);
  return more.length > 0 ? [...places, ...more[0]!] : places;
}

function wantedOf(count: number, share: number): number {
  return Math.max(1, Math.min(count - 1, Math.round(share * count)));
}

function at<T>(items: readonly T[], places: readonly number[]): T[] {
  return places.map((place) => items[place]!);
}

function nothingLeft(count: number, share: number): MultiboxError {
  const sentence =
    share === 0 || share === 1
      ? `A validation share of ${share} leaves ${share === 0 ? "nothing to validate by" : "nothing to train on"}.`
      : `${countOf(count, "image")} cannot be split into images to train on and images that validate.`;
  return new MultiboxError(
    "VALIDATION_EMPTY",
    sentence,
    "Give more images, another share, or a data set of its own for validation.",
  );
}
