// Truths and detections of which a test says only what it is about: class 1 in picture 1, 10 x 10 pixels.
import type { Found, Truth } from "../../../src/training/truth.ts";

export function truth(fields: Partial<Truth>): Truth {
  const { bbox = [0, 0, 10, 10] } = fields;
  const plain = { pictureId: 1, categoryId: 1, crowd: false, difficult: false };
  return { ...plain, area: bbox[2] * bbox[3], ...fields, bbox };
}

export function found({ pictureId = 1, categoryId = 1, bbox = [0, 0, 10, 10], score = 0.9 }: Partial<Found>): Found {
  return { pictureId, categoryId, bbox, score };
}
