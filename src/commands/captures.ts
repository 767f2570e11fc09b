// `multibox captures`: captured frames as data sets for programs that label pictures, and back.
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import sharp from "sharp";
import { countOf } from "../count.ts";
import type { AnnotationHeader, PictureLine } from "../annotate/annotation.ts";
import type { AnnotationFormat } from "../annotate/format.ts";
import { cocoFormat } from "../annotate/writers/coco.ts";
import { csvFormat } from "../annotate/writers/csv.ts";
import { cvatFormat } from "../annotate/writers/cvat.ts";
import { labelStudioFormat } from "../annotate/writers/label-studio.ts";
import { vocFormat } from "../annotate/writers/voc.ts";
import { yoloFormat } from "../annotate/writers/yolo.ts";
import { MultiboxError } from "../errors.ts";
import { decodePicture } from "../model/decode-picture.ts";
import { perceptualHash } from "../model/perceptual-hash.ts";
import { type CaptureBounds, CaptureStore } from "../server/captures/capture-store.ts";
import { lockDataDir } from "../server/data-dir.ts";
import type { Capture, CapturedObject, ReviewStatus } from "../training/capture.ts";
import { captureFiles } from "../training/capture-set.ts";
import { openDataset } from "../training/dataset.ts";
import type { DataPicture } from "../training/truth.ts";
import { packageVersion } from "../version.ts";
import { writeFailure } from "../whole-file.ts";
import type { CAPTURE_FORMATS } from "./captures-command.ts";
import { matchCaptures } from "./match-captures.ts";

/** Where each form has its annotations and its pictures, within the folder. */
const LAYOUTS: Readonly<
  Record<(typeof CAPTURE_FORMATS)[number], { format: AnnotationFormat; annotations: string; pictures: string }>
> = {
  coco: { format: cocoFormat, annotations: "instances.json", pictures: "images" },
  voc: { format: vocFormat, annotations: ".", pictures: "JPEGImages" },
  yolo: { format: yoloFormat, annotations: ".", pictures: "images" },
  cvat: { format: cvatFormat, annotations: "annotations.xml", pictures: "images" },
  "label-studio": { format: labelStudioFormat, annotations: "tasks.json", pictures: "images" },
  csv: { format: csvFormat, annotations: "annotations.csv", pictures: "images" },
};

export interface Place {
  readonly dataDir: string;
  readonly bounds: CaptureBounds;
  readonly json: boolean;
}

export interface CaptureExport extends Place {
  readonly out: string;
  readonly format: keyof typeof LAYOUTS;
  readonly status: ReviewStatus | "all";
}

/** Fails with OUT_EXISTS, CAPTURE_UNKNOWN where there are none, DISK_FULL or NOT_WRITABLE; then nothing is left of it. */
export async function exportCaptures({ out, format, status, json, ...place }: CaptureExport): Promise<void> {
  const store = await openStore(place);
  const captures = store.list(status === "all" ? {} : { status });
  if (captures.length === 0) {
    const sentence = `There are no ${status === "all" ? "" : `${status} `}captures in ${store.folder}.`;
    throw new MultiboxError("CAPTURE_UNKNOWN", sentence, "Review some first, or choose another --status.");
  }
  if (existsSync(out)) throw new MultiboxError("OUT_EXISTS", `${out} is there already.`, "Choose another --out.");
  const { format: form, annotations, pictures } = LAYOUTS[format];
  const draft = `${resolve(out)}.${process.pid}.tmp`;
  try {
    await mkdir(join(draft, pictures), { recursive: true });
    const lines = captures.map(lineOf(labelIds(captures)));
    const header = headerOf(labelIds(captures));
    // A form that is a folder of files fills ours.
    await form.convert({ path: store.folder, header, lines: () => streamed(lines) }, join(draft, annotations), {});
    for (const { id } of captures)
      // Not copied with its permissions: a data set is made to be shared.
      await writeFile(join(draft, pictures, `${id}.jpg`), await readFile(captureFiles(store.folder, id).picture));
    await rename(draft, out);
  } catch (cause) {
    await rm(draft, { recursive: true, force: true }).catch(() => undefined);
    throw writeFailure(cause, out);
  }
  if (json) console.log(JSON.stringify({ out, format, captures: captures.length }));
  else console.log(`${countOf(captures.length, "capture is", "captures are")} in ${out}.`);
}

export interface CaptureImport extends Place {
  readonly format?: "coco" | "voc" | undefined;
  readonly annotations?: string | undefined;
  readonly status: ReviewStatus;
}

/** Fails with DATA_DIR_IN_USE while a server runs, as opening the data set does, with CAPTURE_AMBIGUOUS before anything is changed, and with CAPTURES_FULL. What came before that stays. */
export async function importCaptures(
  folder: string,
  { format, annotations, status, json, ...place }: CaptureImport,
): Promise<void> {
  const dataset = await openDataset({ folder, format, annotations });
  const unlock = lockDataDir(place.dataDir);
  let corrected = 0;
  try {
    const store = await openStore(place);
    const nameOf = new Map(dataset.categories.map(({ id, name }) => [id, name]));
    const captured = await matchCaptures(dataset.pictures, store);
    for (const [i, picture] of dataset.pictures.entries()) {
      const objects = picture.objects.map(({ bbox: [x, y, w, h], categoryId }): CapturedObject => {
        return { bbox: [x, y, w, h], label: nameOf.get(categoryId)! };
      });
      const id = captured[i];
      if (id !== undefined) {
        await store.change(id, { objects, status });
        corrected += 1;
      } else {
        await store.add(...(await captureOf(picture, objects, status, i)));
      }
    }
  } finally {
    unlock();
  }
  const counts = { pictures: dataset.pictures.length, corrected, added: dataset.pictures.length - corrected };
  if (json) console.log(JSON.stringify({ ...counts, warnings: dataset.warnings }));
  else console.log(`${countOf(counts.added, "capture was", "captures were")} added, ${corrected} corrected.`);
  for (const warning of dataset.warnings) console.error(`multibox: ${warning}`);
}

/** A capture that cannot be read is named on standard error and left alone. */
export async function openStore({ dataDir, bounds }: Pick<Place, "dataDir" | "bounds">): Promise<CaptureStore> {
  const store = new CaptureStore(join(dataDir, "captures"), bounds);
  await store.load((sentence) => console.error(`multibox: ${sentence}`));
  return store;
}

function labelIds(captures: readonly Capture[]): Map<string, number> {
  const labels = [...new Set(captures.flatMap(({ objects }) => objects.map(({ label }) => label)))].sort();
  return new Map(labels.map((label, i) => [label, i + 1]));
}

/** What a person has marked is sure. */
function lineOf(ids: ReadonlyMap<string, number>): (capture: Capture, index: number) => PictureLine {
  return ({ id, width, height, objects }, index) => ({
    index,
    file: `${id}.jpg`,
    width,
    height,
    detections: objects.map(({ bbox, label }) => ({ bbox, score: 1, label, classId: ids.get(label)! })),
  });
}

function headerOf(ids: ReadonlyMap<string, number>): AnnotationHeader {
  const labels = [...ids].map(([label, classId]) => ({ classId, label }));
  return {
    type: "header",
    format: 1,
    multibox: packageVersion(),
    source: { kind: "pictures" },
    model: { name: "captures", version: "1", engine: "none", precision: "fp32", labels },
    settings: { minScore: 0, batch: 1 },
  };
}

async function* streamed<T>(items: readonly T[]): AsyncGenerator<T, void> {
  yield* items;
}

/** A picture of others as a capture; stored upright as a JPEG. */
async function captureOf(
  { file }: DataPicture,
  objects: CapturedObject[],
  status: ReviewStatus,
  seq: number,
): Promise<[Capture, Uint8Array]> {
  const bytes = await readFile(file);
  const picture = await decodePicture(bytes);
  const { width, height, data } = picture;
  const { format, orientation = 1 } = await sharp(bytes).metadata();
  // A JPEG that lies as it is stored is kept to the byte.
  const raw = { width, height, channels: 3 } as const;
  const jpeg =
    format === "jpeg" && orientation === 1 ? bytes : await sharp(data, { raw }).jpeg({ quality: 92 }).toBuffer();
  const time = new Date().toISOString();
  const capture: Capture = {
    id: `${time.replaceAll(/[-:.Z]/g, "")}-import-${seq}`,
    stream: "import",
    seq,
    pts: 0,
    time,
    reason: "import",
    width,
    height,
    bytes: jpeg.length,
    hash: perceptualHash(picture),
    model: { name: basename(dirname(resolve(file))), version: "0" },
    proposed: [],
    objects,
    status,
  };
  return [capture, jpeg];
}
