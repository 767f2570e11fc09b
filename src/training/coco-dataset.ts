// Reads a data set in COCO's format: one JSON of images, annotations and categories, and a folder of pictures.
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { LabelText } from "../model/label-text.ts";
import { MultiboxError, sentenceOf, systemCode } from "../errors.ts";
import { locatePictures } from "./coco-pictures.ts";
import type { DatasetOptions } from "./dataset.ts";
import { decodeText } from "./decode-text.ts";
import { groupBy } from "./group-by.ts";
import { invalidDataset, ObjectCheck } from "./object-check.ts";
import { requireUnder } from "./only-under.ts";
import type { Category, DataPicture, Dataset, Truth } from "./truth.ts";

/** What is read of https://cocodataset.org/#format-data; outlines are not: boxes are all that a box detector is judged by. */
const CocoFile = z.object({
  images: z
    .array(
      z.object({ id: z.int(), file_name: z.string().min(1), width: z.int().positive(), height: z.int().positive() }),
    )
    .min(1),
  annotations: z.array(
    z.object({
      id: z.int(),
      image_id: z.int(),
      category_id: z.int(),
      bbox: z.tuple([z.number(), z.number(), z.number(), z.number()]),
      area: z.number().nonnegative().optional(),
      iscrowd: z.union([z.literal(0), z.literal(1), z.boolean()]).default(0),
    }),
  ),
  categories: z.array(z.object({ id: z.int(), name: LabelText.min(1) })).min(1),
});
type CocoFile = z.infer<typeof CocoFile>;

const REPAIR = "Correct the file, or fetch it again.";

/** Fails with DATASET_NOT_FOUND, DATASET_INVALID, PICTURE_MISSING or FILE_NOT_ALLOWED. */
export async function openCoco(options: DatasetOptions): Promise<Dataset> {
  const source = await findAnnotations(options);
  await requireUnder([source], options.onlyUnder);
  const file = await parse(source);
  requireUnique(file.images, "image", source);
  requireUnique(file.categories, "category", source);
  requireUnique(file.annotations, "annotation", source);
  const check = new ObjectCheck();
  const { categories, idOf, warnings } = mergeCategories(file.categories);
  const objects = readObjects(file, idOf, source, check);
  const chosen = file.images.slice(0, options.limit);
  const files = await locatePictures(
    chosen.map(({ file_name }) => file_name),
    { ...options, source },
  );
  const pictures = chosen.map(({ id, width, height }, i): DataPicture => {
    return { id, file: files[i]!, width, height, objects: objects.get(id)! };
  });
  return { format: "coco", source, categories, pictures, warnings: [...warnings, ...check.warnings()] };
}

/** Categories of one name are one class, under the lowest of their ids, as training has them. */
function mergeCategories(all: CocoFile["categories"]): {
  readonly categories: readonly Category[];
  /** Every id of the file -> the id that its class has. */
  readonly idOf: ReadonlyMap<number, number>;
  readonly warnings: readonly string[];
} {
  const byName = groupBy(
    all.toSorted((a, b) => a.id - b.id),
    ({ name }) => name,
  );
  const groups = [...byName].map(([name, same]) => ({ name, ids: same.map(({ id }) => id) }));
  return {
    categories: groups.map(({ name, ids }) => ({ id: ids[0]!, name })),
    idOf: new Map(groups.flatMap(({ ids }) => ids.map((id) => [id, ids[0]!] as const))),
    warnings: groups
      .filter(({ ids }) => ids.length > 1)
      .map(({ name, ids }) => `The categories ${ids.join(" and ")} are all named "${name}", and are one class.`),
  };
}

function readObjects(
  { images, annotations }: CocoFile,
  idOf: ReadonlyMap<number, number>,
  source: string,
  check: ObjectCheck,
): Map<number, Truth[]> {
  const imageOf = new Map(images.map((image) => [image.id, image]));
  const objects = new Map(images.map(({ id }): [number, Truth[]] => [id, []]));
  for (const { id, image_id, category_id, bbox, area, iscrowd } of annotations) {
    const where = `${source}, annotation ${id}`;
    const image = imageOf.get(image_id);
    if (!image) throw invalidDataset(where, `there is no image ${image_id}`, REPAIR);
    const categoryId = idOf.get(category_id);
    if (categoryId === undefined) throw invalidDataset(where, `there is no category ${category_id}`, REPAIR);
    if (!check.accepts(bbox, image, where)) continue;
    const truth = { pictureId: image_id, categoryId, bbox, area: area ?? bbox[2] * bbox[3] };
    objects.get(image_id)!.push({ ...truth, crowd: Boolean(iscrowd), difficult: false });
  }
  return objects;
}

async function parse(source: string): Promise<CocoFile> {
  const bytes = await readFile(source).catch((cause: unknown) => {
    if (systemCode(cause) !== "ENOENT") throw invalidDataset(source, "it cannot be read", REPAIR, cause);
    throw new MultiboxError("DATASET_NOT_FOUND", `There is no file ${source}.`, "", { cause });
  });
  const decoded = decodeText(bytes);
  if ("problem" in decoded) throw invalidDataset(source, decoded.problem, "Save it as UTF-8.");
  let json: unknown;
  try {
    json = JSON.parse(decoded.text);
  } catch (cause) {
    // The parser's words quote the file's text; those in brackets say nothing more.
    throw invalidDataset(source, `it is not a whole JSON file (${sentenceOf(cause).slice(0, 200)})`, REPAIR, cause);
  }
  const parsed = CocoFile.safeParse(json);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0]!;
  const place = path.map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`)).join("");
  throw invalidDataset(source, `${place.slice(1) || "the file"}: ${message}`, "It must be COCO's instances format.");
}

function requireUnique(items: readonly { readonly id: number }[], what: string, source: string): void {
  const seen = new Set<number>();
  for (const { id } of items) {
    if (seen.has(id))
      throw invalidDataset(source, `two of its entries are ${what} ${id}`, "Give each an id of its own.");
    seen.add(id);
  }
}

/** The JSON in the places where COCO, its subsets and the usual export tools put it. */
async function findAnnotations({ folder, annotations, split }: DatasetOptions): Promise<string> {
  if (annotations !== undefined) return annotations;
  const nested = join(folder, "annotations");
  const named =
    split === undefined ? [] : [join(nested, `instances_${split}.json`), join(folder, split, "instances.json")];
  const plain = [
    join(folder, "instances.json"),
    join(folder, "annotations.json"),
    join(folder, "_annotations.coco.json"),
  ];
  const found = (split === undefined ? plain : named).find((path) => existsSync(path));
  if (found !== undefined) return found;
  const all = await readdir(nested).catch(() => []);
  const instances = all.filter((name) => /^instances.*\.json$/.test(name)).map((name) => join(nested, name));
  if (split === undefined && instances.length === 1) return instances[0]!;
  throw new MultiboxError(
    "DATASET_NOT_FOUND",
    instances.length > 1 && split === undefined
      ? `${nested} has several annotation files.`
      : `There is no annotation file in ${folder}${split === undefined ? "" : ` for the split "${split}"`}.`,
    "Name the JSON with --annotations.",
  );
}
