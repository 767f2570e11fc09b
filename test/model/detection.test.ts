// How many bytes a picture has.
import { expect, test } from "vitest";
import { pictureBytes } from "../../src/model/detection.ts";

test.each([
  ["rgb24", 4, 2, 24],
  ["rgb24", 1, 1, 3],
  ["yuv420p", 4, 2, 8 + 2 + 2],
  ["yuv420p", 1, 1, 1 + 1 + 1],
  ["yuv420p", 5, 3, 15 + 6 + 6],
] as const)("a %s picture of %d x %d has %d bytes", (format, width, height, bytes) => {
  expect(pictureBytes(format, width, height)).toBe(bytes);
});
