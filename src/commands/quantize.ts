// `multibox quantize`: a model that knows the ranges of its values, so that it can run in int8.
import { countOf } from "../count.ts";
import { isHidden } from "../hidden-file.ts";
import { readdir, readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { MultiboxError, sentenceOf, systemCode } from "../errors.ts";
import { decodePicture } from "../model/decode-picture.ts";
import type { RgbImage } from "../model/detection.ts";
import { observeRanges, type RangeMethod } from "../model/observe-ranges.ts";
import { openShown, requireFree, writeModel } from "./model-folder.ts";
import { pictureProgress } from "./terminal.ts";

export interface QuantizeOptions {
  readonly model: string;
  readonly cacheDir: string;
  /** Folder with pictures. */
  readonly data: string;
  readonly out: string;
  readonly method: RangeMethod["kind"];
  /** For the method percentile. */
  readonly percentile: number;
  /** Most pictures. */
  readonly limit: number;
  readonly force: boolean;
  readonly json: boolean;
}

/** Observes the model on the pictures, writes it with the ranges to `out`, and says so. Nothing is written where that fails. */
export async function quantizeModel(options: QuantizeOptions): Promise<void> {
  const { model, cacheDir, data, out, limit, json } = options;
  await requireFree(out, options.force);
  const files = evenly(await pictureFiles(data), limit);
  if (files.length === 0)
    throw new MultiboxError("DATASET_INVALID", `There is no JPEG or PNG in ${data}.`, "Give a folder with pictures.");
  const bundle = await openShown(model, cacheDir, "onnx:cpu");
  const progress = pictureProgress();
  const failures: string[] = [];
  const pictures = readPictures(files, failures, progress.update);
  const method: RangeMethod =
    options.method === "min-max" ? { kind: "min-max" } : { kind: "percentile", percent: options.percentile };
  const threads = availableParallelism();
  const quantization = await observeRanges(bundle, pictures, { method, threads, cacheDir }).finally(() => {
    progress.stop();
    for (const failure of failures) console.error(`left out: ${failure}`);
  });
  const folder = await writeModel(out, { ...bundle, quantization });
  const ranges = Object.keys(quantization.ranges).length;
  if (json) {
    console.log(
      JSON.stringify({
        model: bundle.spec.name,
        folder,
        method: quantization.method,
        pictures: quantization.pictures,
        ranges,
      }),
    );
    return;
  }
  console.log(
    `${bundle.spec.name} with ${ranges} ranges (${quantization.method}, ${countOf(quantization.pictures, "image")}) is in ${folder};`,
  );
  console.log(`for example: multibox evaluate --model ${folder} --precision int8 --data DATA`);
}

/** All pictures below a folder, in the order of their names. */
async function pictureFiles(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true }).catch((cause: unknown) => {
    const missing = systemCode(cause) === "ENOENT" || systemCode(cause) === "ENOTDIR";
    const sentence = missing ? `There is no folder ${folder}.` : `${folder} cannot be read: ${sentenceOf(cause)}.`;
    throw new MultiboxError("DATASET_NOT_FOUND", sentence, "Give the folder that holds the pictures.", { cause });
  });
  return names
    .filter((name) => /\.(?:jpe?g|png)$/i.test(name) && !name.split(/[\\/]/).some(isHidden))
    .toSorted()
    .map((name) => join(folder, name));
}

/** At most `limit` of a list, from its whole length: the first ones of a data set may be all of one kind. */
function evenly<T>(list: readonly T[], limit: number): T[] {
  const count = Math.min(limit, list.length);
  return Array.from({ length: count }, (_, i) => list[Math.floor((i * list.length) / count)]!);
}

/** One at a time; what cannot be read is left out and named. */
async function* readPictures(
  files: readonly string[],
  failures: string[],
  onProgress: (done: number, total: number) => void,
): AsyncGenerator<RgbImage, void> {
  for (const [i, file] of files.entries()) {
    let picture: RgbImage | undefined;
    try {
      picture = await decodePicture(await readFile(file));
    } catch (error) {
      failures.push(`${file}: ${sentenceOf(error)}`);
    }
    if (picture) yield picture;
    onProgress(i + 1, files.length);
  }
}
