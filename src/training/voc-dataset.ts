// Reads a data set in PASCAL VOC's format: Annotations/*.xml, JPEGImages/, and lists of names in ImageSets/Main.
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join, parse as parsePath } from "node:path";
import { MultiboxError } from "../errors.ts";
import { isHidden } from "../hidden-file.ts";
import type { Box } from "../model/detection.ts";
import type { DatasetOptions } from "./dataset.ts";
import { decodeText } from "./decode-text.ts";
import { groupBy } from "./group-by.ts";
import { NamesOnDisk } from "./names-on-disk.ts";
import { invalidDataset, ObjectCheck, requirePictures } from "./object-check.ts";
import { requireUnder } from "./only-under.ts";
import type { DataPicture, Dataset } from "./truth.ts";
import { parseVocAnnotation, type VocAnnotation } from "./voc-annotation.ts";
import { parseVocList } from "./voc-list.ts";

/** The lists that are taken where none is asked for, the first that is there. */
const SPLITS = ["test", "val"] as const;

/** Fails with DATASET_NOT_FOUND, DATASET_INVALID, PICTURE_MISSING or FILE_NOT_ALLOWED. Class ids are 1, 2, ... in the alphabet's order, as VOC's are. */
export async function openVoc({ folder, split, limit, onlyUnder }: DatasetOptions): Promise<Dataset> {
  const { names, source, there } = await listNames(folder, split, onlyUnder);
  const chosen = names.slice(0, limit);
  const sources = chosen.map((name) => join(folder, "Annotations", `${name}.xml`));
  await requireUnder(sources, onlyUnder);
  const images = await imagesOf(folder);
  const missing = (are: (name: string, i: number) => boolean): void =>
    requirePictures(
      chosen.filter(are).map((name) => join(folder, "JPEGImages", `${name}.jpg`)),
      chosen.length,
    );
  missing((name) => !there.has(name) && images.named(name).length === 0);
  const annotations: VocAnnotation[] = [];
  for (const file of sources) annotations.push(await readAnnotation(file));
  const files = chosen.map((name, i) => images.of(name, annotations[i]!.filename, sources[i]!));
  missing((_, i) => files[i] === undefined);
  const found = files.filter((file) => file !== undefined);
  await requireUnder(found, onlyUnder);
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
      return [{ ...truth, crowd: false, difficult }];
    });
    return { id: pictureId, file: found[i]!, ...size, objects };
  });
  return { format: "voc", source, categories, pictures, warnings: check.warnings() };
}

/**
 * VOC counts pixels from 1 and includes the last one (devkit, `VOCevaldet.m`: widths have a `+1`). As a box of the house, whose
 * right edge is that of the last pixel, it has the same size, and plain IoU is the devkit's.
 */
function boxOf({ xmin, ymin, xmax, ymax }: VocAnnotation["object"][number]["bndbox"]): Box {
  return [xmin - 1, ymin - 1, xmax - xmin + 1, ymax - ymin + 1];
}

async function listNames(
  folder: string,
  split: string | undefined,
  onlyUnder: DatasetOptions["onlyUnder"],
): Promise<{ readonly names: readonly string[]; readonly source: string; readonly there: ReadonlySet<string> }> {
  const annotations = join(folder, "Annotations");
  const files = (await readdir(annotations).catch(() => [])).filter((file) => !isHidden(file) && file.endsWith(".xml"));
  const there = new Set(files.map(stemOf));
  const lists = join(folder, "ImageSets", "Main");
  const wanted = split === undefined ? SPLITS : [split];
  const list = wanted.map((name) => join(lists, `${name}.txt`)).find((path) => existsSync(path));
  if (list !== undefined) {
    await requireUnder([list], onlyUnder);
    const decoded = decodeText(await readFile(list));
    if ("problem" in decoded) throw invalidDataset(list, decoded.problem, "Save it as UTF-8.");
    const disk = new NamesOnDisk([...there]);
    const listed = parseVocList(decoded.text, (name) => disk.find(name) !== undefined);
    if ("problem" in listed) throw invalidDataset(list, listed.problem, "Rename one of them.");
    const names = listed.names.map((name) => disk.find(name) ?? name);
    const seen = new Set<string>();
    const again = names.find((name) => seen.size === seen.add(name).size);
    if (again !== undefined) throw invalidDataset(list, `${again} stands in it twice`, "Take one of them out.");
    if (names.length > 0) return { names, source: list, there };
    throw invalidDataset(list, "no picture stands in it", "Choose another --split.");
  }
  if (split !== undefined)
    throw new MultiboxError(
      "DATASET_NOT_FOUND",
      `There is no list ${split}.txt in ${lists}.`,
      "Choose another --split.",
    );
  if (there.size > 0) return { names: [...there].toSorted(), source: annotations, there };
  throw new MultiboxError(
    "DATASET_NOT_FOUND",
    `There are no annotations in ${annotations}.`,
    "Give the folder that has Annotations and JPEGImages in it, such as VOCdevkit/VOC2012.",
  );
}

interface Images {
  /** Files whose names are this one with an ending. */
  readonly named: (name: string) => readonly string[];
  /** The image of an annotation. Fails with DATASET_INVALID where it could be either of two. */
  readonly of: (name: string, filename: string | undefined, annotation: string) => string | undefined;
}

/**
 * An annotation's image is the one of its name, as the devkit has it; where there are several, or none, the one that `<filename>`
 * names. Names that were left in `<filename>` when images were renamed are common, so that it does not come first.
 */
async function imagesOf(folder: string): Promise<Images> {
  const place = join(folder, "JPEGImages");
  const entries = await readdir(place).catch(() => []);
  const files = entries.filter((file) => !isHidden(file) && /\.(jpe?g|png)$/i.test(file));
  const byStem = groupBy(files, stemOf);
  const stems = new NamesOnDisk([...byStem.keys()]);
  const disk = new NamesOnDisk(files);
  const named = (name: string): readonly string[] => byStem.get(stems.find(name) ?? name) ?? [];
  return {
    named,
    of(name, filename, annotation) {
      const own = named(name);
      if (own.length === 1) return join(place, own[0]!);
      const other = disk.find(filename?.split(/[\\/]/).at(-1) ?? "");
      if (own.length > 1 && (other === undefined || !own.includes(other))) {
        const what = `${own.join(" and ")} are there, and filename names ${filename === undefined ? "neither" : `"${filename}"`}`;
        throw invalidDataset(annotation, what, "Remove one of the images, or name the right one in filename.");
      }
      return other === undefined ? undefined : join(place, other);
    },
  };
}

const stemOf = (file: string): string => parsePath(file).name;

async function readAnnotation(path: string): Promise<VocAnnotation> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw invalidDataset(path, "it is listed and cannot be read", "Fetch it, or take its name out of the list.", cause);
  });
  return parseVocAnnotation(bytes, path);
}
