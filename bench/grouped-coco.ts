// COCO's pictures with boxes that are defined otherwise than in COCO: people who stand apart, and groups of people.
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Box } from "../src/model/detection.ts";

const LABELS = ["person", "group"] as const;
const PERSON = 1;
const GROUP = 2;

/** Persons whose boxes share more than this much of the smaller one's area are of one group. */
const SHARED = 0.1;
/** Of the pictures without a person every so many are kept: what is no person must be learnt, too. */
const KEPT_WITHOUT = 3;

interface Coco {
  readonly images: readonly { readonly id: number; readonly file_name: string }[];
  readonly annotations: readonly {
    readonly image_id: number;
    readonly category_id: number;
    readonly bbox: Box;
    readonly iscrowd: number;
  }[];
  readonly categories: readonly { readonly id: number; readonly name: string }[];
}

/**
 * Writes `out` as a COCO folder, with links to the pictures of the COCO folders `from`. Two persons or more whose boxes overlap, one leading to
 * the next, are one `group` with a box around all of them; others are a `person`. COCO's crowds of persons are crowds of both.
 */
export async function writeGrouped(from: readonly string[], out: string): Promise<void> {
  await mkdir(join(out, "images"), { recursive: true });
  const images: Coco["images"][number][] = [];
  const annotations: object[] = [];
  let without = 0;
  for (const folder of from) {
    const coco = JSON.parse(await readFile(join(folder, "instances.json"), "utf8")) as Coco;
    const category = coco.categories.find(({ name }) => name === "person")!;
    for (const image of coco.images) {
      const persons = coco.annotations.filter((one) => one.image_id === image.id && one.category_id === category.id);
      if (persons.length === 0 && without++ % KEPT_WITHOUT !== 0) continue;
      images.push(image);
      await symlink(resolve(folder, "images", image.file_name), join(out, "images", image.file_name));
      const add = (category_id: number, bbox: Box, iscrowd: number): void => {
        const area = bbox[2] * bbox[3];
        annotations.push({ id: annotations.length + 1, image_id: image.id, category_id, bbox, area, iscrowd });
      };
      for (const boxes of groupsOf(persons.filter(({ iscrowd }) => !iscrowd).map(({ bbox }) => bbox)))
        add(boxes.length > 1 ? GROUP : PERSON, around(boxes), 0);
      for (const { bbox } of persons.filter(({ iscrowd }) => iscrowd))
        for (const label of [PERSON, GROUP]) add(label, bbox, 1);
    }
  }
  const categories = LABELS.map((name, i) => ({ id: i + 1, name }));
  await writeFile(join(out, "instances.json"), JSON.stringify({ images, annotations, categories }));
}

/** Boxes in sets that overlap, directly or by way of others. */
function groupsOf(boxes: readonly Box[]): Box[][] {
  const sets: Box[][] = [];
  for (const box of boxes) {
    const near = sets.filter((set) => set.some((other) => overlap(box, other) > SHARED));
    for (const set of near) sets.splice(sets.indexOf(set), 1);
    sets.push([...near.flat(), box]);
  }
  return sets;
}

function around(boxes: readonly Box[]): Box {
  const left = Math.min(...boxes.map(([x]) => x));
  const top = Math.min(...boxes.map(([, y]) => y));
  const right = Math.max(...boxes.map(([x, , width]) => x + width));
  const bottom = Math.max(...boxes.map(([, y, , height]) => y + height));
  return [left, top, right - left, bottom - top];
}

/** The area that both have, as a share of the smaller one's. */
function overlap([ax, ay, aw, ah]: Box, [bx, by, bw, bh]: Box): number {
  const width = Math.min(ax + aw, bx + bw) - Math.max(ax, bx);
  const height = Math.min(ay + ah, by + bh) - Math.max(ay, by);
  return (Math.max(0, width) * Math.max(0, height)) / Math.min(aw * ah, bw * bh);
}
