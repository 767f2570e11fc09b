// The colours of labels: stable, apart, and legible.
import { describe, expect, it } from "vitest";
import { contrast, labelColours, labelHue, luminance, TAG_TEXT } from "../../../src/annotate/drawing/label-colours.ts";

const LABELS = ["person", "bicycle", "car", "bus", "truck", "dog", "traffic light", "Straßenbahn", "", "x".repeat(64)];

describe("labelColours", () => {
  it("gives a label the same hue for ever", () => {
    expect(["person", "car", "dog", "bicycle"].map(labelHue)).toEqual([232, 53, 167, 292]);
  });

  it.each(LABELS)("keeps the text on the tag of %j legible", (label) => {
    expect(contrast(labelColours(label).fill, TAG_TEXT)).toBeGreaterThan(7);
  });

  it.each(LABELS)("shows the swatch of %j on the light and on the dark panel", (label) => {
    const { swatch } = labelColours(label);
    expect(contrast(swatch, "#ffffff")).toBeGreaterThan(3);
    expect(contrast(swatch, "#161a20")).toBeGreaterThan(3);
  });
});

describe("contrast", () => {
  it("is WCAG's: 21 for black on white, 1 for a colour on itself, 4.54 for #767676 on white", () => {
    expect(contrast("#000000", "#ffffff")).toBeCloseTo(21);
    expect(contrast("#123456", "#123456")).toBe(1);
    expect(contrast("#767676", "#ffffff")).toBeCloseTo(4.54, 2);
    expect(luminance("#ff0000")).toBeCloseTo(0.2126);
  });
});
