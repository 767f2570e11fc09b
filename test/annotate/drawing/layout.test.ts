// Where boxes and tags lie, in typed-out numbers.
import { describe, expect, it } from "vitest";
import { layOut, mapBox, strokesOn, type Rect } from "../../../src/annotate/drawing/layout.ts";

const SOURCE = { width: 200, height: 100 };
const TARGET: Rect = { x: 10, y: 20, width: 400, height: 200 };
/** Tags of 10 by 58: five pixels a letter, four on each side. */
const STYLE = { height: 10, padding: 4, widthOf: (text: string) => text.length * 5 };

function found(
  label: string,
  score: number,
  bbox: [number, number, number, number],
): Parameters<typeof layOut>[0][number] {
  return { label, score, bbox, classId: 1 };
}

describe("mapBox", () => {
  it("scales a box with the picture and moves it to where the picture is drawn", () => {
    expect(mapBox([50, 10, 20, 30], SOURCE, TARGET)).toEqual({ x: 110, y: 40, width: 40, height: 60 });
  });

  it("keeps a box that leaves the picture inside of it", () => {
    expect(mapBox([-10, 90, 300, 50], SOURCE, TARGET)).toEqual({ x: 10, y: 200, width: 400, height: 20 });
  });
});

describe("layOut", () => {
  it("puts the tag on top of its box", () => {
    const [box] = layOut([found("car", 0.876, [50, 50, 20, 20])], SOURCE, TARGET, STYLE);
    expect(box!.tag).toEqual({ text: "car 0.88", rect: { x: 110, y: 110, width: 48, height: 10 } });
  });

  it("draws the surest last, so that it lies on top", () => {
    const boxes = layOut(
      [found("a", 0.9, [0, 0, 9, 9]), found("b", 0.5, [0, 0, 9, 9]), found("c", 0.7, [0, 0, 9, 9])],
      SOURCE,
      TARGET,
      STYLE,
    );
    expect(boxes.map(({ label }) => label)).toEqual(["b", "c", "a"]);
  });

  it("puts the tag of a box at the upper edge below it, and that of a box over the whole picture inside", () => {
    const [upper] = layOut([found("car", 0.5, [50, 0, 20, 20])], SOURCE, TARGET, STYLE);
    expect(upper!.tag.rect).toMatchObject({ x: 110, y: 60 });
    const [whole] = layOut([found("car", 0.5, [0, 0, 200, 100])], SOURCE, TARGET, STYLE);
    expect(whole!.tag.rect).toMatchObject({ x: 10, y: 20 });
  });

  it("keeps the tag of a box at the right edge on the picture", () => {
    const [box] = layOut([found("car", 0.5, [190, 50, 10, 10])], SOURCE, TARGET, STYLE);
    expect(box!.tag.rect).toMatchObject({ x: 362, y: 110 });
  });

  it("lets no tag cover another while there is a place beside it", () => {
    const boxes = layOut(
      [found("car", 0.9, [50, 50, 20, 20]), found("truck", 0.8, [51, 50, 20, 20])],
      SOURCE,
      TARGET,
      STYLE,
    );
    expect(boxes.map(({ tag }) => tag.rect.y)).toEqual([160, 110]);
  });

  it("survives a tag that is wider than the picture", () => {
    const [box] = layOut([found("x".repeat(100), 0.5, [0, 0, 10, 10])], SOURCE, TARGET, STYLE);
    expect(box!.tag.rect.x).toBe(10);
  });
});

describe("strokesOn", () => {
  it("grows with the shorter side, so that a video is as readable upright as across, small as large", () => {
    expect(strokesOn({ width: 426, height: 240 })).toEqual({ line: 2, font: 12, padding: 2 });
    expect(strokesOn({ width: 1280, height: 720 })).toEqual({ line: 3, font: 20, padding: 4 });
    expect(strokesOn({ width: 1080, height: 1920 })).toEqual({ line: 4, font: 30, padding: 6 });
    expect(strokesOn({ width: 7680, height: 4320 })).toEqual({ line: 16, font: 120, padding: 24 });
  });
});
