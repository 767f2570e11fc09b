// Where a model finds less, or more that is not there, than the one that it began with.
import { matchPicture, rankPicture } from "../coco-matching.ts";
import { ANY_AREA } from "../coco-metrics.ts";
import { groupBy } from "../group-by.ts";
import type { DataPicture, Dataset, Found } from "../truth.ts";

/** A detection counts from this score on, at this intersection over union. */
export const SCORE = 0.5;
export const IOU = 0.5;

/** What is found on one image, in objects. */
export interface Tally {
  readonly right: number;
  readonly wrong: number;
}

export interface WorseImage {
  readonly image: DataPicture;
  readonly before: Tally;
  readonly after: Tally;
}

/** Images with more mistakes (objects missed, and detections that are none) than before, those with the most first. */
export function worseImages(
  { pictures, categories }: Dataset,
  before: readonly Found[],
  after: readonly Found[],
): WorseImage[] {
  const [was, is] = [before, after].map((found) =>
    groupBy(
      found.filter(({ score }) => score >= SCORE),
      ({ pictureId }) => pictureId,
    ),
  ) as [Map<number, Found[]>, Map<number, Found[]>];
  const ids = categories.map(({ id }) => id);
  const tallies = pictures.map((image) => ({
    image,
    before: tallyOf(image, was.get(image.id) ?? [], ids),
    after: tallyOf(image, is.get(image.id) ?? [], ids),
  }));
  const moreMistakes = ({ before: then, after: now }: WorseImage): number =>
    then.right - now.right + now.wrong - then.wrong;
  return tallies.filter((one) => moreMistakes(one) > 0).sort((a, b) => moreMistakes(b) - moreMistakes(a));
}

/** Right and wrong detections of those given. */
export function tallyOf({ objects }: DataPicture, found: readonly Found[], categoryIds: readonly number[]): Tally {
  const tally = { right: 0, wrong: 0 };
  for (const id of categoryIds) {
    const ranked = rankPicture({
      truths: objects.filter(({ categoryId }) => categoryId === id),
      found: found.filter(({ categoryId }) => categoryId === id),
    });
    const { matched, ignored } = matchPicture(ranked, ANY_AREA, [IOU]);
    for (const [at, isRight] of matched.entries()) {
      if (ignored[at] === 1) continue;
      if (isRight === 1) tally.right += 1;
      else tally.wrong += 1;
    }
  }
  return tally;
}
