import { describe, expect, it } from "vitest";
import { boxBetween, boxUnder, dragged, handleAt, type EditBox } from "../../../../src/server/ui/captures/geometry.ts";

const PICTURE = { width: 200, height: 100 };
const BOX: EditBox = [20, 20, 60, 40];

describe("handleAt", () => {
  it("finds sides and corners of a box", () => {
    const at = (x: number, y: number): string | undefined => handleAt(BOX, [x, y], 5);
    expect([at(20, 20), at(50, 18), at(82, 40), at(80, 60), at(50, 40)]).toEqual(["nw", "n", "e", "se", "body"]);
    expect(at(90, 40)).toBeUndefined();
  });
});

describe("boxUnder", () => {
  it("is the smallest under the point", () => {
    const small: EditBox = [40, 30, 10, 10];
    expect(boxUnder([BOX, small], [45, 35], 3)).toBe(1);
    expect(boxUnder([BOX, small], [20, 20], 3)).toBe(0);
    expect(boxUnder([BOX, small], [150, 20], 3)).toBeUndefined();
  });
});

describe("dragged", () => {
  it("moves a box, which stays inside of the picture", () => {
    expect(dragged(BOX, "body", [10, -5], PICTURE)).toEqual([30, 15, 60, 40]);
    expect(dragged(BOX, "body", [-99, 99], PICTURE)).toEqual([0, 60, 60, 40]);
  });

  it("moves the sides that are held, and never turns a box over", () => {
    expect(dragged(BOX, "se", [5, 7], PICTURE)).toEqual([20, 20, 65, 47]);
    expect(dragged(BOX, "nw", [-30, 5], PICTURE)).toEqual([0, 25, 80, 35]);
    expect(dragged(BOX, "w", [500, 0], PICTURE)).toEqual([77, 20, 3, 40]);
    expect(dragged(BOX, "e", [500, 0], PICTURE)).toEqual([20, 20, 180, 40]);
  });
});

describe("boxBetween", () => {
  it("takes two corners in any order, cut to the picture", () => {
    expect(boxBetween([50, 60], [10, 20], PICTURE)).toEqual([10, 20, 40, 40]);
    expect(boxBetween([150, 50], [500, 500], PICTURE)).toEqual([150, 50, 50, 50]);
  });

  it("is nothing where the hand only slipped", () => {
    expect(boxBetween([50, 60], [52, 90], PICTURE)).toBeUndefined();
  });
});
