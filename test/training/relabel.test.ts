// Data sets under other labels.
import { expect, test } from "vitest";
import { mergedCategories, relabel } from "../../src/training/relabel.ts";
import type { Dataset, Truth } from "../../src/training/truth.ts";

const truth = (categoryId: number, parts: Partial<Truth> = {}): Truth => {
  return { pictureId: 1, categoryId, bbox: [0, 0, 1, 1], area: 1, crowd: false, difficult: false, ...parts };
};
const data: Dataset = {
  format: "voc",
  source: "typed out",
  categories: ["car", "bus", "cat"].map((name, i) => ({ id: 10 + i, name })),
  pictures: [
    { id: 1, file: "1.png", width: 9, height: 9, objects: [truth(10), truth(11), truth(12, { difficult: true })] },
  ],
  warnings: [],
};
const names = ({ categories, pictures }: Dataset): string[] =>
  pictures[0]!.objects.map(({ categoryId }) => categories.find(({ id }) => id === categoryId)!.name);

test("labels are merged, and what is difficult is ignored from then on", () => {
  const made = relabel(data, { merge: { vehicle: ["car", "bus"] }, labels: "data" });
  expect(made.categories).toEqual([
    { id: 1, name: "vehicle" },
    { id: 2, name: "cat" },
  ]);
  expect(names(made)).toEqual(["vehicle", "vehicle", "cat"]);
  expect(made.pictures[0]!.objects.map(({ crowd }) => crowd)).toEqual([false, false, true]);
  // By the model's own names for them.
  const vehicle = { id: 1, name: "vehicle" };
  const stand = mergedCategories({ vehicle: ["car", "bus", "aeroplane"] }, made.categories, ["Bus", "airplane", "cat"]);
  expect([...stand]).toEqual([
    ["Bus", vehicle],
    ["airplane", vehicle],
  ]);
});

test("only the labels of a list are kept, in its order", () => {
  const made = relabel(data, { merge: { vehicle: ["car", "bus"] }, labels: ["cat", "vehicle"] });
  expect(made.categories.map(({ name }) => name)).toEqual(["cat", "vehicle"]);
  expect(names(relabel(data, { merge: {}, labels: ["bus"] }))).toEqual(["bus"]);
});

test.each([
  [{ merge: {}, labels: ["dog"] }, 'The data set has no label "dog".'],
  [{ merge: { vehicle: ["tram"] }, labels: "data" as const }, 'The data set has no label "tram".'],
  [{ merge: { a: ["car"], b: ["car"] }, labels: "data" as const }, '"car" cannot become both "a" and "b".'],
])("%j is refused with a sentence", (choice, sentence) => {
  expect(() => relabel(data, choice)).toThrow(sentence);
});
