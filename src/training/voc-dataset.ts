// Reads a data set in PASCAL VOC's format: Annotations/*.xml, JPEGImages/, and lists of names in ImageSets/Main.
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join, parse as parsePath } from "node:path";
import { XMLParser, XMLValidator } from "fast-xml-parser";
import { z } from "zod";
import { MultiboxError } from "../errors.ts";
import type { Box } from "../model/detection.ts";
import type { DatasetOptions } from "./dataset.ts";
import { invalidDataset, ObjectCheck, requirePictures } from "./object-check.ts";
import { requireUnder } from "./only-under.ts";
import type { DataPicture, Dataset } from "./truth.ts";

const VocFile = z.object({
  annotation: z.object({
    size: z.object({ width: z.coerce.number().int().positive(), height: z.coerce.number().int().positive() }),
    object: z
      .array(
        z.object({
          name: z.string().min(1),
          difficult: z.enum(["0", "1"]).default("0"),
          bndbox: z.object({
            xmin: z.coerce.number(),
            ymin: z.coerce.number(),
            xmax: z.coerce.number(),
            ymax: z.coerce.number(),
          }),
        }),
      )
      .default([]),
  }),
});
type VocFile = z.infer<typeof VocFile>["annotation"];

/** The lists that are taken where none is asked for, the first that is there. */
const SPLITS = ["test", "val"] as const;

/** Fails with DATASET_NOT_FOUND, DATASET_INVALID, PICTURE_MISSING or FILE_NOT_ALLOWED. Class ids are 1, 2, ... in the alphabet's order, as VOC's are. */
export async function openVoc({ folder, split, limit, onlyUnder }: DatasetOptions): Promise<Dataset> {
  const { names, source } = await listNames(folder, split, onlyUnder);
  const chosen = names.slice(0, limit);
  const files = await pictureFiles(folder);
  requirePictures(
    chosen.filter((name) => !files.has(name)).map((name) => join(folder, "JPEGImages", `${name}.jpg`)),
    chosen.length,
  );
  const sources = chosen.map((name) => join(folder, "Annotations", `${name}.xml`));
  await requireUnder([...sources, ...chosen.map((name) => files.get(name)!)], onlyUnder);
  const annotations: VocFile[] = [];
  for (const file of sources) annotations.push(await readAnnotation(file));
  const classes = [...new Set(annotations.flatMap(({ object }) => object.map(({ name }) => name)))].toSorted();
  const categories = classes.map((name, i) => ({ id: i + 1, name }));
  const idOf = new Map(categories.map(({ id, name }) => [name, id]));
  const check = new ObjectCheck();
  const pictures = annotations.map(({ size, object }, i): DataPicture => {
    const pictureId = i + 1;
    const objects = object.flatMap(({ name, difficult, bndbox }, k) => {
      const bbox = boxOf(bndbox);
      if (!check.accepts(bbox, size, `${sources[i]}, object ${k + 1}`)) return [];
      const truth = { pictureId, categoryId: idOf.get(name)!, bbox, area: bbox[2] * bbox[3] };
      return [{ ...truth, crowd: false, difficult: difficult === "1" }];
    });
    return { id: pictureId, file: files.get(chosen[i]!)!, ...size, objects };
  });
  return { format: "voc", source, categories, pictures, warnings: check.warnings() };
}

/**
 * VOC counts pixels from 1 and includes the last one (devkit, `VOCevaldet.m`: widths have a `+1`). As a box of the house, whose
 * right edge is that of the last pixel, it has the same size, and plain IoU is the devkit's.
 */
function boxOf({ xmin, ymin, xmax, ymax }: VocFile["object"][number]["bndbox"]): Box {
  return [xmin - 1, ymin - 1, xmax - xmin + 1, ymax - ymin + 1];
}

async function listNames(
  folder: string,
  split: string | undefined,
  onlyUnder: DatasetOptions["onlyUnder"],
): Promise<{ names: string[]; source: string }> {
  const lists = join(folder, "ImageSets", "Main");
  const wanted = split === undefined ? SPLITS : [split];
  const list = wanted.map((name) => join(lists, `${name}.txt`)).find((path) => existsSync(path));
  if (list !== undefined) {
    await requireUnder([list], onlyUnder);
    // Lists of a class have a second column.
    const lines = (await readFile(list, "utf8")).split("\n").map((line) => line.trim().split(/\s+/)[0]!);
    const names = lines.filter((name) => name !== "");
    const seen = new Set<string>();
    const again = names.find((name) => seen.size === seen.add(name).size);
    if (again !== undefined) throw invalidDataset(list, `${again} stands in it twice`, "Take one of them out.");
    if (names.length > 0) return { names, source: list };
    throw invalidDataset(list, "no picture stands in it", "Choose another --split.");
  }
  if (split !== undefined)
    throw new MultiboxError(
      "DATASET_NOT_FOUND",
      `There is no list ${split}.txt in ${lists}.`,
      "Choose another --split.",
    );
  const source = join(folder, "Annotations");
  const files = await readdir(source).catch(() => []);
  const names = files.filter((file) => file.endsWith(".xml")).map((file) => parsePath(file).name);
  if (names.length > 0) return { names: names.toSorted(), source };
  throw new MultiboxError(
    "DATASET_NOT_FOUND",
    `There are no annotations in ${source}.`,
    "Give the folder that has Annotations and JPEGImages in it, such as VOCdevkit/VOC2012.",
  );
}

/** Pictures by their names without the ending. */
async function pictureFiles(folder: string): Promise<Map<string, string>> {
  const pictures = join(folder, "JPEGImages");
  const files = (await readdir(pictures).catch(() => [])).filter((file) => /\.(jpe?g|png)$/i.test(file));
  return new Map(files.map((file) => [parsePath(file).name, join(pictures, file)]));
}

async function readAnnotation(path: string): Promise<VocFile> {
  const xml = await readFile(path, "utf8").catch((cause: unknown) => {
    throw invalidDataset(path, "it is listed and cannot be read", "Fetch it, or take its name out of the list.", cause);
  });
  // The parser itself reads over a file that ends in the middle.
  const whole = XMLValidator.validate(xml);
  if (whole !== true)
    throw invalidDataset(path, `it is not whole XML (line ${whole.err.line}: ${whole.err.msg})`, "Fetch it again.");
  const parser = new XMLParser({ parseTagValue: false, isArray: (name) => name === "object" });
  const parsed = VocFile.safeParse(parser.parse(xml));
  if (parsed.success) return parsed.data.annotation;
  const { path: keys, message } = parsed.error.issues[0]!;
  throw invalidDataset(path, `${keys.join(".")}: ${message}`, "It must be an annotation as PASCAL VOC writes them.");
}
