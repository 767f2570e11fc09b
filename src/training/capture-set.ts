// Captured frames as a data set: a folder with a JPEG and a JSON of one name for each frame; what people have accepted is truth.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { countOf } from "../count.ts";
import { MultiboxError, sentenceOf } from "../errors.ts";
import { requireFormat, withoutFormat } from "../file-format.ts";
import { isHidden } from "../hidden-file.ts";
import { Capture } from "./capture.ts";
import type { DatasetOptions } from "./dataset.ts";
import { invalidDataset, ObjectCheck, requirePictures } from "./object-check.ts";
import { requireUnder } from "./only-under.ts";
import type { DataPicture, Dataset, Truth } from "./truth.ts";

const SUFFIX = ".capture.json";

/** Whether a folder holds captures. */
export function isCaptureFile(name: string): boolean {
  return name.endsWith(SUFFIX) && !isHidden(name);
}

export function captureFiles(folder: string, id: string): { readonly picture: string; readonly sidecar: string } {
  return { picture: join(folder, `${id}.jpg`), sidecar: join(folder, id + SUFFIX) };
}

/** Fails with FILE_NEWER, or with DATASET_INVALID, which names the file and what is wrong in it. */
export function parseCapture(text: string, file: string): Capture {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw invalidDataset(file, `it is not a whole JSON file (${sentenceOf(cause).slice(0, 200)})`, REPAIR, cause);
  }
  requireFormat(json, file);
  const parsed = Capture.safeParse(withoutFormat(json));
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0]!;
  throw invalidDataset(file, `${path.join(".") || "the file"}: ${message}`, REPAIR);
}

const REPAIR = "Correct the file, or remove it and its picture.";

/**
 * The accepted captures of a folder, in the order in which they were taken. Classes are the labels that occur, by name.
 * Fails with DATASET_NOT_FOUND when none is accepted, DATASET_INVALID, PICTURE_MISSING or FILE_NOT_ALLOWED.
 */
export async function openCaptures({ folder, limit, onlyUnder }: DatasetOptions): Promise<Dataset> {
  const names = await readdir(folder);
  const there = new Set(names);
  await requireUnder(
    names.map((name) => join(folder, name)),
    onlyUnder,
  );
  const all: Capture[] = [];
  for (const name of names.filter(isCaptureFile).sort()) {
    const file = join(folder, name);
    all.push(parseCapture(await readFile(file, "utf8"), file));
  }
  const accepted = all.filter(({ status }) => status === "accepted").slice(0, limit);
  if (accepted.length === 0) {
    const captures = countOf(all.length, "capture");
    const sentence = `Of ${captures} in ${folder} none has been accepted.`;
    throw new MultiboxError("DATASET_NOT_FOUND", sentence, "Review them on the page first.");
  }
  const missing = accepted
    .filter(({ id }) => !there.has(`${id}.jpg`))
    .map(({ id }) => captureFiles(folder, id).picture);
  requirePictures(missing, accepted.length);
  const labels = [...new Set(accepted.flatMap(({ objects }) => objects.map(({ label }) => label)))].sort();
  const categories = labels.map((name, i) => ({ id: i + 1, name }));
  const idOf = new Map(categories.map(({ id, name }) => [name, id]));
  const check = new ObjectCheck();
  const pictures = accepted.map((capture, i): DataPicture => {
    const { sidecar, picture } = captureFiles(folder, capture.id);
    const { width, height } = capture;
    const objects = capture.objects
      .filter(({ bbox }) => check.accepts(bbox, capture, sidecar))
      .map(({ bbox, label }): Truth => {
        const area = bbox[2] * bbox[3];
        return { pictureId: i + 1, categoryId: idOf.get(label)!, bbox, area, crowd: false, difficult: false };
      });
    const time = Date.parse(capture.time) / 1000;
    const captured = { stream: capture.stream, time, imported: capture.reason === "import" };
    return { id: i + 1, file: picture, width, height, ...(Number.isFinite(time) && { captured }), objects };
  });
  return { format: "captures", source: folder, categories, pictures, warnings: check.warnings() };
}
