// Labels of models and classes of data sets: one thing, several names.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { COCO_LABELS } from "../../src/model/labels.ts";
import { ALIASES, mapLabels } from "../../src/training/label-map.ts";

const coco = COCO_LABELS.filter((label) => label !== null);
const VOC =
  "aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse motorbike person pottedplant sheep sofa train tvmonitor";
const categories = (names: string): { id: number; name: string }[] =>
  names.split(" ").map((name, i) => ({ id: i + 1, name }));

describe("mapLabels", () => {
  it("finds each of VOC's twenty classes among COCO's labels", () => {
    const { categoryOf, unknownToModel } = mapLabels(coco, categories(VOC));
    expect(unknownToModel).toEqual([]);
    const names = Object.fromEntries([...categoryOf].map(([label, { name }]) => [label, name]));
    expect(Object.keys(names)).toHaveLength(20);
    expect(names).toMatchObject({
      airplane: "aeroplane",
      motorcycle: "motorbike",
      couch: "sofa",
      tv: "tvmonitor",
      "dining table": "diningtable",
      "potted plant": "pottedplant",
      person: "person",
    });
  });

  it("does not mind case, spaces, hyphens and underscores, nor which of the two has the alias", () => {
    const { categoryOf } = mapLabels(["TVmonitor", "fire-hydrant"], categories("tv Fire_Hydrant"));
    expect([...categoryOf.keys()]).toEqual(["TVmonitor", "fire-hydrant"]);
  });

  it("names the classes that the model does not know, and gives other labels none", () => {
    const { categoryOf, unknownToModel } = mapLabels(["cat", "dog"], categories("dog constructor"));
    expect(unknownToModel).toEqual([{ id: 2, name: "constructor" }]);
    expect([...categoryOf.keys()]).toEqual(["dog"]);
  });

  it("has all its aliases in docs/evaluate.md", () => {
    const page = readFileSync(join(import.meta.dirname, "../../docs/evaluate.md"), "utf8");
    const missing = Object.entries(ALIASES).filter(([alias, name]) => !page.includes(`| \`${alias}\` | \`${name}\` |`));
    expect(missing).toEqual([]);
  });
});
