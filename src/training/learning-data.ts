// The data of a training, looked at as a whole before it begins: what is learnt from, what judges it, and what both are worth.
import { createHash } from "node:crypto";
import { countOf } from "../count.ts";
import { MultiboxError, sentenceOf } from "../errors.ts";
import type { PicturePool } from "./pictures/picture-pool.ts";
import type { Look } from "./pictures/picture-worker.ts";
import { mapLabels } from "./label-map.ts";
import { relabel } from "./relabel.ts";
import { splitAsFormerly } from "./former-split.ts";
import { LOOK_ALIKE_BITS, NEAR_IDENTICAL_BITS, unlike } from "./look-alikes.ts";
import { splitImages } from "./split.ts";
import type { SplitRecord } from "./split-record.ts";
import { dayOf, type Moment, momentOf } from "./time-of-image.ts";
import type { LookEvent } from "./train-events.ts";
import type { TrainSettings } from "./train-settings.ts";
import type { DataPicture, Dataset } from "./truth.ts";

/** Data sets as they were opened. */
export interface GivenData {
  readonly data: Dataset;
  /** What judges the model, where that is not a part of `data`. */
  readonly validation?: Dataset | undefined;
  /** Older pictures, mixed in against forgetting. */
  readonly replay?: Dataset | undefined;
}

/** Under the labels that are learnt. */
export interface LearningData {
  readonly training: Dataset;
  readonly validation: Dataset;
  readonly replay?: Dataset | undefined;
  /** How the two sides came about. */
  readonly split: SplitRecord;
  /** SHA-256 of all pictures, their objects and, where they are split by time, their order, in hexadecimal digits. */
  readonly hash: string;
  readonly warnings: readonly string[];
}

export interface PrepareOptions {
  readonly settings: TrainSettings;
  readonly pool: PicturePool;
  readonly signal?: AbortSignal | undefined;
  /** Of a run that version 0.1.0 began: what it split by. The two sides are those that it had. */
  readonly former?: "hash" | "day" | undefined;
}

/**
 * Reads every picture once. Those that cannot be read are left out, with a sentence each. Fails with LABEL_UNKNOWN, with DATASET_EMPTY where
 * nothing is there to be learnt, with VALIDATION_EMPTY, with VALIDATION_OVERLAP where many images to train on are those of the validation
 * set, or with INTERRUPTED.
 */
export async function* prepareData(
  given: GivenData,
  { settings, pool, signal, former }: PrepareOptions,
): AsyncGenerator<LookEvent, LearningData> {
  const sets = [relabel(given.data, settings)];
  if (given.validation) sets.push(underLabels(given.validation, sets[0]!, settings.merge, false));
  if (given.replay) sets.push(underLabels(given.replay, sets[0]!, settings.merge, true));
  const total = sets.reduce((sum, { pictures }) => sum + pictures.length, 0);
  const warnings = sets.flatMap((set) => set.warnings);
  const digest = createHash("sha256");
  let done = 0;
  const looked: Looked[] = [];
  for (const set of sets) {
    const seen = yield* lookAt(set, pool, { done, total }, signal);
    done += set.pictures.length;
    warnings.push(...seen.failures);
    addTo(digest, seen);
    looked.push(seen);
  }
  const [own, ...others] = looked;
  const validation = given.validation ? others.shift()! : undefined;
  const replay = others.shift();
  if (own!.set.pictures.length === 0) throw empty(own!.set, own!.failures[0]);
  const overlap: Overlap = { warnings, mode: former === undefined ? settings.nearIdentical : "former" };
  const { learnt, judge, gap, ...how } = validation
    ? ({ learnt: apart(own!, validation, overlap), judge: validation, by: "validation", gap: 0 } as const)
    : parted(own!, settings, former, { digest, warnings });
  if (!hasObjects(learnt)) throw empty(learnt);
  if (!hasObjects(judge.set)) throw nothingToFind(judge.set, how.by);
  const replayFrom = former === undefined ? judge : (validation ?? own!);
  return {
    training: learnt,
    validation: judge.set,
    ...(replay && { replay: apart(replay, replayFrom, overlap) }),
    split: { ...how, training: learnt.pictures.length, validation: judge.set.pictures.length, gap },
    hash: digest.digest("hex"),
    warnings,
  };
}

interface Looked {
  readonly set: Dataset;
  /** Of the set's pictures, in their order. */
  readonly looks: readonly Look[];
  readonly failures: readonly string[];
}

/** How many pictures are on their way at a time: enough for all threads. */
const AHEAD = 16;

async function* lookAt(
  set: Dataset,
  pool: PicturePool,
  { done, total }: { readonly done: number; readonly total: number },
  signal: AbortSignal | undefined,
): AsyncGenerator<LookEvent, Looked> {
  const outcomes: (Look | { readonly failure: string })[] = [];
  for (let from = 0; from < set.pictures.length; from += AHEAD) {
    if (signal?.aborted) throw new MultiboxError("INTERRUPTED", "Stopped before the training began.");
    const part = set.pictures.slice(from, from + AHEAD).map((picture) => pool.look(picture).catch(failureOf));
    outcomes.push(...(await Promise.all(part)));
    yield { type: "look", done: done + outcomes.length, total };
  }
  const looks = outcomes.flatMap((outcome) => ("failure" in outcome ? [] : [outcome]));
  const failures = outcomes.flatMap((outcome) => ("failure" in outcome ? [outcome.failure] : []));
  const pictures = set.pictures.filter((_, i) => !("failure" in outcomes[i]!));
  return { set: { ...set, pictures }, looks, failures: failures.map((why) => `Left out: ${why}`) };
}

/** A picture's own failure leaves it out; one of the thread that reads is none of the picture's. */
function failureOf(error: unknown): { readonly failure: string } {
  if (!(error instanceof MultiboxError) || error.code === "POOL_CLOSED") throw error;
  return { failure: sentenceOf(error) };
}

function addTo(digest: ReturnType<typeof createHash>, { set, looks }: Looked): void {
  digest.update(JSON.stringify(set.categories));
  for (const [i, { objects }] of set.pictures.entries()) {
    digest.update(looks[i]!.sha256);
    digest.update(JSON.stringify(objects.map(({ categoryId, bbox, crowd }) => [categoryId, bbox, crowd])));
  }
}

interface Parts {
  readonly learnt: Dataset;
  readonly judge: Looked;
  readonly by: SplitRecord["by"];
  /** Pictures in neither. */
  readonly gap: number;
  readonly streams?: number;
}

/** The set in two parts. The order in time goes into the digest where the parts follow from it. */
function parted(
  own: Looked,
  { validationShare: share, splitBy, seed }: TrainSettings,
  former: PrepareOptions["former"],
  { digest, warnings }: { readonly digest: ReturnType<typeof createHash>; readonly warnings: string[] },
): Parts {
  const { set, looks } = own;
  if (former !== undefined) {
    const images = set.pictures.map(({ captured }, i) => {
      return { hash: looks[i]!.hash, ...(captured && { day: dayOf(captured.time) }) };
    });
    const { training, validation } = splitAsFormerly(images, { share, by: former, seed });
    return { learnt: only(own, training).set, judge: only(own, validation), by: former, gap: 0 };
  }
  const moments = set.pictures.map(momentOf);
  const images = looks.map(({ hash }, i) => {
    const objects = set.pictures[i]!.objects.filter(({ crowd }) => !crowd).length;
    return { hash, moment: moments[i], day: moments[i]?.day, objects };
  });
  const { by, streams, ...split } = splitImages(images, { share, by: splitBy, seed });
  if (by === "time") addOrder(digest, moments);
  warnings.push(...split.warnings);
  return {
    learnt: only(own, split.training).set,
    judge: only(own, split.validation),
    by,
    gap: split.gap.length,
    ...(streams !== undefined && { streams }),
  };
}

/** The place of each picture's stream in the list, and its time: not the name, which is another one in another folder. */
function addOrder(digest: ReturnType<typeof createHash>, moments: readonly (Moment | undefined)[]): void {
  const streams = [...new Set(moments.map((moment) => moment?.stream))];
  digest.update(JSON.stringify(moments.map((moment) => moment && [streams.indexOf(moment.stream), moment.at])));
}

interface Overlap {
  readonly mode: TrainSettings["nearIdentical"] | "former";
  readonly warnings: string[];
}

/** Of a set to train on, no more than this share may be images of the validation set. */
const MOST_OVERLAP = 0.1;

/**
 * The first set without the pictures that nearly are some of the second, with a sentence. Where these are more than a tenth, `check` fails
 * with VALIDATION_OVERLAP. Runs of version 0.1.0 (`former`) left out all look-alikes.
 */
function apart(own: Looked, other: Looked, { mode, warnings }: Overlap): Dataset {
  const bits = mode === "former" ? LOOK_ALIKE_BITS : NEAR_IDENTICAL_BITS;
  const kept = unlike(own.looks, other.looks, bits);
  const gone = own.looks.length - kept.length;
  if (gone === 0) return own.set;
  const of = countOf(own.looks.length, "image");
  const differ = `Their perceptual hashes differ in at most ${bits} of 64 bits.`;
  const what = `${gone} of ${of} of ${own.set.source} ${gone === 1 ? "is" : "are"} nearly identical to images of ${other.set.source}`;
  if (mode === "keep") {
    warnings.push(`${what}, and trained on all the same (--near-identical keep).`);
    return own.set;
  }
  if (mode === "check" && gone > own.looks.length * MOST_OVERLAP) throw overlapping(`${what}. ${differ}`);
  if (kept.length === 0)
    throw nothingApart(`All of ${of} of ${own.set.source} look like images of ${other.set.source}. ${differ}`);
  warnings.push(`${what}, and left out. ${differ}`);
  return only(own, kept).set;
}

function hasObjects({ pictures }: Dataset): boolean {
  return pictures.some(({ objects }) => objects.some(({ crowd }) => !crowd));
}

function only({ set, looks, failures }: Looked, places: readonly number[]): Looked {
  const pictures = places.map((i) => set.pictures[i]!);
  return { set: { ...set, pictures }, looks: places.map((i) => looks[i]!), failures };
}

/**
 * Another data set under the labels of the first. Objects that have none of these are no objects, or where `ignore` is set only not to be
 * taken for background.
 */
function underLabels(set: Dataset, first: Dataset, merge: TrainSettings["merge"], ignore: boolean): Dataset {
  const known = Object.fromEntries(
    Object.entries(merge).map(([name, olds]) => [
      name,
      olds.filter((old) => set.categories.some((c) => c.name === old)),
    ]),
  );
  const merged = relabel(set, { merge: known, labels: "data" });
  const nameOf = new Map(merged.categories.map(({ id, name }) => [id, name]));
  const { categoryOf } = mapLabels([...nameOf.values()], first.categories);
  const move = (picture: DataPicture): DataPicture => ({
    ...picture,
    objects: picture.objects.flatMap((truth) => {
      const categoryId = categoryOf.get(nameOf.get(truth.categoryId)!)?.id;
      if (categoryId !== undefined) return [{ ...truth, categoryId }];
      return ignore ? [{ ...truth, categoryId: first.categories[0]!.id, crowd: true }] : [];
    }),
  });
  return { ...merged, categories: first.categories, pictures: merged.pictures.map(move) };
}

function nothingToFind({ pictures, source }: Dataset, by: SplitRecord["by"]): MultiboxError {
  const sentence = `There is no object on ${countOf(pictures.length, "image")} of ${source} that should validate the model.`;
  const hint: Record<SplitRecord["by"], string> = {
    time: "Give a larger --validation-share, or split by --split-by hash.",
    order: "Give a larger --validation-share.",
    hash: "Choose another --seed, a larger --validation-share, or other images.",
    day: "Choose another --seed, a larger --validation-share, or other images.",
    validation: "Give images with boxes of the labels that are trained.",
  };
  return new MultiboxError("VALIDATION_EMPTY", sentence, hint[by]);
}

function empty({ pictures, source }: Dataset, firstFailure = ""): MultiboxError {
  const sentence =
    pictures.length === 0
      ? `There is no image to train on in ${source}.`
      : `There is no object to train on in ${countOf(pictures.length, "image")} of ${source}.`;
  const why = firstFailure === "" ? sentence : `${sentence} ${firstFailure}`;
  return new MultiboxError("DATASET_EMPTY", why, "Give images with boxes on them.");
}

function overlapping(sentence: string): MultiboxError {
  const hint =
    "Give a validation set of other images. If they differ where it matters, as frames of a fixed camera do, train on them with --near-identical keep; leave them out with --near-identical drop.";
  return new MultiboxError("VALIDATION_OVERLAP", sentence, hint);
}

function nothingApart(sentence: string): MultiboxError {
  return new MultiboxError(
    "DATASET_EMPTY",
    sentence,
    "Give a validation set of other images, or pass --near-identical keep.",
  );
}
