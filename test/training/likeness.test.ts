// What new labels are like, by a model that says one of its labels of everything.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Bundle } from "../../src/model/bundle.ts";
import { openDataset } from "../../src/training/dataset.ts";
import { judge } from "../../src/training/judge.ts";
import { likenesses } from "../../src/training/likeness.ts";
import type { Dataset } from "../../src/training/truth.ts";
import { SHAPES, writeShapes } from "./support/drawn-shapes.ts";
import { tinySsd } from "./support/tiny-ssd.ts";

const options = { merge: new Map<string, string[]>(), threads: 1, seed: 1 };
let folder: string;
let shapes: Dataset;
/** Calls everything a square. */
const squares = saysOnly("square");

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "multibox-likeness-"));
  await writeShapes(folder, { pictures: 2, seed: 1, side: 64 });
  shapes = await openDataset({ folder });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Where the surest square is on each picture, as an object of a data set that has its own name for it. */
async function named(name: string): Promise<Dataset> {
  const { found } = await judge(squares, shapes, { threads: 1 });
  const pictures = shapes.pictures.map((picture) => {
    const { bbox } = found.find(({ pictureId }) => pictureId === picture.id)!;
    const area = bbox[2] * bbox[3];
    return {
      ...picture,
      objects: [{ pictureId: picture.id, categoryId: 7, bbox, area, crowd: false, difficult: false }],
    };
  });
  return { ...shapes, categories: [{ id: 7, name }], pictures };
}

test("a new label is like the one whose detections lie where its objects are, and is judged as that", async () => {
  const data = await named("window");
  expect([...(await likenesses(squares, data, options))]).toEqual([["window", "square"]]);
  const [window] = data.categories as [(typeof data.categories)[0]];
  const { figures, found, warnings } = await judge(squares, data, { threads: 1, also: [["square", window]] });
  expect(figures["AP"]).toBeGreaterThan(0.5);
  expect([new Set(found.map(({ categoryId }) => categoryId)), warnings]).toEqual([new Set([7]), []]);
});

test("one that the model knows, or has the parts of, or finds nothing of, is like none", async () => {
  expect([...(await likenesses(squares, await named("Square"), options))]).toEqual([]);
  const merge = new Map([["window", ["pane", "disc"]]]);
  expect([...(await likenesses(squares, await named("window"), { ...options, merge }))]).toEqual([]);
  expect([...(await likenesses(saysOnly(null), await named("window"), options))]).toEqual([]);
});

function saysOnly(label: string | null): Bundle {
  const bundle = tinySsd(SHAPES, 1);
  const column = bundle.spec.labels.indexOf(label);
  for (const [name, { data }] of bundle.weights) {
    if (!/^head\d\.logits\.bias$/.test(name)) continue;
    for (let at = column; at < data.length; at += bundle.spec.labels.length) data[at] = 8;
  }
  return bundle;
}
