// The drawing of precision over recall: whole XML, a curve each, names as text.
import { XMLParser, XMLValidator } from "fast-xml-parser";
import { describe, expect, it } from "vitest";
import { drawCurves } from "../../src/training/curves.ts";

const falling = Array.from({ length: 101 }, (_, i) => (i < 50 ? 1 - i / 100 : 0));

interface Drawn {
  readonly svg: {
    readonly path: readonly { readonly "@_d": string; readonly "@_class": string; readonly title?: string }[];
  };
}

describe("drawCurves", () => {
  const svg = drawCurves({
    title: 'a <model> & its "curves"',
    curves: [
      { name: "IoU 0.50", precision: falling },
      { name: "IoU 0.55", precision: Array<number>(101).fill(-1) },
    ],
    classCurves: [{ name: "cats & dogs", precision: Array<number>(101).fill(1) }],
  });
  const paths = (new XMLParser({ ignoreAttributes: false }).parse(svg) as Drawn).svg.path;

  it("is whole XML, whatever names there are, for light pages and dark ones", () => {
    expect(XMLValidator.validate(svg)).toBe(true);
    expect(svg).toContain("prefers-color-scheme: dark");
    expect(svg).toContain("a &lt;model> &amp; its &quot;curves&quot;");
    expect(paths.find(({ title }) => title === "cats & dogs")).toMatchObject({ "@_class": "class" });
  });

  it("draws a curve until it has come down to nothing, and none where there was nothing to find", () => {
    const { "@_d": d } = paths.find(({ title }) => title === "IoU 0.50")!;
    const points = d
      .slice(1)
      .split("L")
      .map((point) => point.split(" ").map(Number));
    expect(points).toHaveLength(51);
    // Down and to the right, from precision 1 at recall 0.
    expect(points[0]).toEqual([56, 44]);
    expect(points.at(-1)).toEqual([316, 424]);
    expect(svg).not.toContain("IoU 0.55");
  });
});
