// The data of a training, looked at as a whole before it begins: what is learnt from, what judges it, and what both are worth.
import { createHash } from "node:crypto";
import { MultiboxError, sentenceOf } from "../errors.ts";
import type { PicturePool } from "./pictures/picture-pool.ts";
import type { Look } from "./pictures/picture-worker.ts";
import { mapLabels } from "./label-map.ts";
import { relabel } from "./relabel.ts";
import { splitPictures, unlike } from "./split.ts";
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
  /** SHA-256 of all pictures and their objects, in hexadecimal digits. */
  readonly hash: string;
  readonly warnings: readonly string[];
}

/**
 * Reads every picture once. Those that cannot be read are left out, with a sentence each. Fails with LABEL_UNKNOWN, with DATASET_EMPTY where
 * nothing is there to be learnt, with VALIDATION_EMPTY, or with INTERRUPTED.
 */
export async function* prepareData(
  given: GivenData,
  settings: TrainSettings,
  pool: PicturePool,
  signal?: AbortSignal,
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
  const { learnt, judge } = validation
    ? { learnt: apart(own!, validation, warnings), judge: validation.set }
    : parted(own!, settings);
  if (!hasObjects(learnt)) throw empty(learnt);
  if (!hasObjects(judge)) throw nothingToFind(judge);
  return {
    training: learnt,
    validation: judge,
    ...(replay && { replay: apart(replay, validation ?? own!, warnings) }),
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

/** The set in two parts. */
function parted(
  { set, looks, failures }: Looked,
  { validationShare, splitBy, seed }: TrainSettings,
): { readonly learnt: Dataset; readonly judge: Dataset } {
  if (set.pictures.length === 0) throw empty(set, failures[0]);
  const kinds = set.pictures.map(({ day }, i) => ({ hash: looks[i]!.hash, day }));
  const { training, validation } = splitPictures(kinds, validationShare, splitBy, seed);
  return { learnt: only(set, training), judge: only(set, validation) };
}

/** Pictures of the first set that look like some of the second are left out, with a sentence. */
function apart(own: Looked, other: Looked, warnings: string[]): Dataset {
  const kept = unlike(own.looks, other.looks);
  const gone = own.looks.length - kept.length;
  if (gone > 0) {
    warnings.push(`${gone} pictures of ${own.set.source} look like some of ${other.set.source}, and are left out.`);
  }
  return only(own.set, kept);
}

function hasObjects({ pictures }: Dataset): boolean {
  return pictures.some(({ objects }) => objects.some(({ crowd }) => !crowd));
}

function only(set: Dataset, places: readonly number[]): Dataset {
  return { ...set, pictures: places.map((i) => set.pictures[i]!) };
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

function nothingToFind({ pictures, source }: Dataset): MultiboxError {
  const sentence = `There is no object to find on the ${pictures.length} pictures of ${source} that should judge the model.`;
  return new MultiboxError("VALIDATION_EMPTY", sentence, "Choose another seed, a larger share, or other pictures.");
}

function empty({ pictures, source }: Dataset, firstFailure = ""): MultiboxError {
  const sentence =
    pictures.length === 0
      ? `There is no picture to learn from in ${source}.`
      : `There is no object to learn from on the ${pictures.length} pictures of ${source}.`;
  const why = firstFailure === "" ? sentence : `${sentence} ${firstFailure}`;
  return new MultiboxError("DATASET_EMPTY", why, "Give pictures with boxes on them.");
}
