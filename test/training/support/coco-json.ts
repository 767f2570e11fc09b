// COCO's JSON as plain truths and detections, for tests that judge without pictures.
import type { Box } from "../../../src/model/detection.ts";
import type { Found, Truth } from "../../../src/training/truth.ts";

export interface CocoTruth {
  readonly annotations: readonly {
    readonly image_id: number;
    readonly category_id: number;
    readonly bbox: Box;
    readonly area: number;
    readonly iscrowd?: number;
  }[];
  readonly categories: readonly { readonly id: number; readonly name: string }[];
}

export interface CocoResult {
  readonly image_id: number;
  readonly category_id: number;
  readonly bbox: Box;
  readonly score: number;
}

export function truthsOf({ annotations }: CocoTruth): Truth[] {
  return annotations.map(({ image_id, category_id, bbox, area, iscrowd = 0 }) => {
    const place = { pictureId: image_id, categoryId: category_id };
    return { ...place, bbox, area, crowd: iscrowd === 1, difficult: false };
  });
}

export function foundOf(results: readonly CocoResult[]): Found[] {
  return results.map(({ image_id, category_id, bbox, score }) => {
    return { pictureId: image_id, categoryId: category_id, bbox, score };
  });
}

export function idsOf({ categories }: CocoTruth): number[] {
  return categories.map(({ id }) => id);
}
