// Pictures of the validation set with what is on them and what the model finds, small enough to lie within a page.
import sharp from "sharp";
import { groupBy } from "../group-by.ts";
import { readPicture } from "../pictures/read-picture.ts";
import { seedOf, shuffled } from "../seeds.ts";
import type { Dataset, DataPicture, Found, Truth } from "../truth.ts";
import { escapeMarkup } from "./markup.ts";

const WIDTH = 360;
const QUALITY = 70;
/** The height of the names of what is there, in shares of those of what is found. */
const TRUTH_TAG = 0.8;
/** Detections below are not drawn. */
const LEAST_SCORE = 0.35;

export interface ExamplesOptions {
  readonly validation: Dataset;
  /** Of the parent and of the new model. */
  readonly before: readonly Found[];
  readonly after: readonly Found[];
  /** Those that are drawn. */
  readonly images: readonly DataPicture[];
}

/** A few images with objects, which the seed draws. */
export function someOf({ pictures }: Dataset, count: number, seed: number): DataPicture[] {
  const order = shuffled(pictures.length, seedOf(seed, pictures.length)).map((at) => pictures[at]!);
  return order.filter(({ objects }) => objects.length > 0).slice(0, count);
}

/** HTML figures, each a picture twice: before and after. A picture that cannot be read any more is left out. */
export async function drawExamples({ validation, before, after, images }: ExamplesOptions): Promise<string> {
  const names = new Map(validation.categories.map(({ id, name }) => [id, name]));
  const figures: string[] = [];
  for (const picture of images) {
    const jpeg = await small(picture).catch(() => undefined);
    if (!jpeg) continue;
    const draw = (found: readonly Found[], caption: string): string =>
      drawPicture(
        picture,
        jpeg,
        found.filter(({ pictureId }) => pictureId === picture.id),
        names,
        caption,
      );
    figures.push(`<div class="pair">${draw(before, "before")}${draw(after, "after")}</div>`);
  }
  return figures.join("\n");
}

async function small(picture: DataPicture): Promise<string> {
  const { image } = await readPicture(picture);
  const raw = { width: image.width, height: image.height, channels: 3 } as const;
  const resized = sharp(image.data, { raw }).resize({ width: WIDTH, withoutEnlargement: true });
  return (await resized.jpeg({ quality: QUALITY }).toBuffer()).toString("base64");
}

function drawPicture(
  { width, height, objects }: DataPicture,
  jpeg: string,
  found: readonly Found[],
  names: ReadonlyMap<number, string>,
  caption: string,
): string {
  const shown = found.filter(({ score }) => score >= LEAST_SCORE);
  const size = Math.max(width, height) / 30;
  const box = ({ bbox: [x, y, w, h] }: Pick<Truth, "bbox">, kind: string): string =>
    `<rect class="${kind}" x="${x.toFixed(1)}" y="${y.toFixed(1)}" width="${w.toFixed(1)}" height="${h.toFixed(1)}"/>`;
  /** At the side of the box from which it has more room. */
  const tag = (text: string, [left, , w]: Truth["bbox"], y: number, fontSize: number): string => {
    const [x, anchor] = left + w / 2 > width / 2 ? [left + w - 2, "end"] : [left + 2, "start"];
    const style = `font-size:${fontSize.toFixed(1)}px;text-anchor:${anchor}`;
    return `<text class="tag" style="${style}" x="${x.toFixed(1)}" y="${y.toFixed(1)}">${escapeMarkup(text)}</text>`;
  };
  const named = (some: readonly { readonly categoryId: number }[]): string =>
    some.map(({ categoryId }) => names.get(categoryId) ?? "").join(", ");
  const drawn = [
    ...objects.map((truth) => box(truth, truth.crowd ? "truth ignored" : "truth")),
    ...objects
      .filter(({ crowd }) => !crowd)
      .map((truth) => tag(named([truth]), truth.bbox, truth.bbox[1] + truth.bbox[3] - 3, size * TRUTH_TAG)),
    // What the parent says may stand for two labels: one box with both names.
    ...[...groupBy(shown, ({ bbox, score }) => [...bbox, score].join()).values()].map((some) => {
      const [{ bbox, score }] = some as [Found];
      const text = `${named(some)} ${(score * 100).toFixed(0)}`;
      return box({ bbox }, "found") + tag(text, bbox, Math.max(size, bbox[1] - 3), size);
    }),
  ];
  return `<figure><svg viewBox="0 0 ${width} ${height}"><image href="data:image/jpeg;base64,${jpeg}" width="${width}" height="${height}"/>${drawn.join("")}</svg><figcaption>${caption}</figcaption></figure>`;
}
