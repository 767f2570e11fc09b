// The vocabulary of training and evaluation: pictures with what is truly on them, and what a detector says of them.
import type { Box } from "../model/detection.ts";

/** A class of a data set, under the id that the data set gives it. */
export interface Category {
  readonly id: number;
  readonly name: string;
}

/** An object that people have marked. */
export interface Truth {
  readonly pictureId: number;
  readonly categoryId: number;
  /** The house's box, whatever the data set writes. */
  readonly bbox: Box;
  /** Square pixels; COCO's is that of the outline, and its area ranges go by that. */
  readonly area: number;
  /** COCO: a box around many objects, found or not. */
  readonly crowd: boolean;
  /** PASCAL VOC: too hard to ask for. */
  readonly difficult: boolean;
}

/** A picture of a data set; it is decoded when it is needed. */
export interface DataPicture {
  readonly id: number;
  readonly file: string;
  readonly width: number;
  readonly height: number;
  /** Of a capture: its stream, and its time in seconds since the epoch, which for an imported image is the time of the import. */
  readonly captured?: { readonly stream: string; readonly time: number; readonly imported: boolean };
  readonly objects: readonly Truth[];
}

/** What a detector says, in the terms of the data set. */
export interface Found {
  readonly pictureId: number;
  readonly categoryId: number;
  readonly bbox: Box;
  readonly score: number;
}

export interface Dataset {
  readonly format: "coco" | "voc" | "captures";
  /** The file or folder that the annotations are from. */
  readonly source: string;
  readonly categories: readonly Category[];
  readonly pictures: readonly DataPicture[];
  /** Sentences about what was left out, or is odd. */
  readonly warnings: readonly string[];
}
