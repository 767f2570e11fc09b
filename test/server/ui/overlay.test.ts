// How a picture fills its space on the page, in typed-out numbers.
import { describe, expect, it } from "vitest";
import { contain, strokesFor } from "../../../src/server/ui/overlay.ts";

describe("contain", () => {
  it("centres a picture in a space that is wider, narrower or of its shape", () => {
    expect(contain({ width: 4, height: 3 }, { width: 160, height: 90 })).toEqual({
      x: 20,
      y: 0,
      width: 120,
      height: 90,
    });
    expect(contain({ width: 16, height: 9 }, { width: 160, height: 160 })).toEqual({
      x: 0,
      y: 35,
      width: 160,
      height: 90,
    });
    expect(contain({ width: 2, height: 1 }, { width: 400, height: 200 })).toEqual({
      x: 0,
      y: 0,
      width: 400,
      height: 200,
    });
  });
});

describe("strokesFor", () => {
  it("draws thin lines and small letters on a small tile, and never too thick or too small ones", () => {
    expect(strokesFor(100)).toEqual({ line: 1.5, font: 10 });
    expect(strokesFor(900)).toEqual({ line: 2, font: 14 });
    expect(strokesFor(4000)).toEqual({ line: 3, font: 14 });
  });
});
