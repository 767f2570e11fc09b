// Opens a data set on disk, COCO, PASCAL VOC or captures, checked as a whole before anything is done with it.
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { MultiboxError } from "../errors.ts";
import { isCaptureFile, openCaptures } from "./capture-set.ts";
import { openCoco } from "./coco-dataset.ts";
import type { Dataset } from "./truth.ts";
import { openVoc } from "./voc-dataset.ts";

export interface DatasetOptions {
  readonly folder: string;
  /** Told from what lies in the folder when absent. */
  readonly format?: Dataset["format"] | undefined;
  /** COCO: the JSON, where it is not found by itself. */
  readonly annotations?: string | undefined;
  /** COCO: `val2017` for annotations/instances_val2017.json. VOC: `test` for ImageSets/Main/test.txt. */
  readonly split?: string | undefined;
  /** Only the first so many pictures. */
  readonly limit?: number | undefined;
  /** Nothing is read that lies outside of these folders, links followed; anything where absent. */
  readonly onlyUnder?: readonly string[] | undefined;
}

/**
 * Reads the annotations and sees that the pictures are there; opens none of them. Fails with DATASET_NOT_FOUND,
 * DATASET_INVALID, PICTURE_MISSING or FILE_NOT_ALLOWED.
 */
export async function openDataset({ limit, ...options }: DatasetOptions): Promise<Dataset> {
  const { folder, annotations } = options;
  if (!existsSync(folder) || !statSync(folder).isDirectory())
    throw new MultiboxError(
      "DATASET_NOT_FOUND",
      `There is no folder ${folder}.`,
      "Give the folder that holds the pictures and their annotations.",
    );
  const format = options.format ?? formatOf(folder, annotations);
  const open = { coco: openCoco, voc: openVoc, captures: openCaptures }[format];
  return await open({ ...options, limit });
}

function formatOf(folder: string, annotations: string | undefined): Dataset["format"] {
  if (annotations !== undefined) return "coco";
  if (existsSync(join(folder, "Annotations"))) return "voc";
  return readdirSync(folder).some(isCaptureFile) ? "captures" : "coco";
}
