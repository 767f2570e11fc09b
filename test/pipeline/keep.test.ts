// Which detections a stream keeps: typed-out boxes on a picture of 200 x 100.
import { expect, test } from "vitest";
import type { Box, Detection } from "../../src/model/detection.ts";
import { createKeep } from "../../src/pipeline/keep.ts";

const found = (label: string, score: number, bbox: Box): Detection => ({ label, score, classId: 1, bbox });
/** A tenth of the picture's area; its feet are at (0.2, 0.7). */
const person = found("person", 0.9, [20, 20, 40, 50]);
/** A hundredth; its feet are at (0.55, 0.1). */
const bird = found("bird", 0.4, [100, 0, 20, 10]);
/** The lower right quarter; its feet are on the picture's edge, at (0.75, 1). */
const car = found("car", 0.6, [100, 50, 100, 50]);
const all = [person, bird, car];

const kept = (...[config]: Parameters<typeof createKeep>): string[] =>
  createKeep(config)(all, 200, 100).map(({ label }) => label);

test("without settings the very same list is kept", () => {
  expect(createKeep({})(all, 200, 100)).toBe(all);
});

test("only what has one of the labels, and the score", () => {
  expect(kept({ labels: ["car", "bird"] })).toEqual(["bird", "car"]);
  expect(kept({ minScore: 0.6 })).toEqual(["person", "car"]);
  expect(kept({ labels: ["car", "bird"], minScore: 0.5 })).toEqual(["car"]);
});

test("only what has its label's own score and size; other labels are free", () => {
  expect(kept({ limits: { person: { minScore: 0.95 } } })).toEqual(["bird", "car"]);
  expect(kept({ limits: { car: { maxSize: 0.2 } } })).toEqual(["person", "bird"]);
  expect(kept({ limits: { bird: { minSize: 0.02 } } })).toEqual(["person", "car"]);
  expect(kept({ limits: { person: { minScore: 0.9, minSize: 0.1, maxSize: 0.1 } } })).toEqual([
    "person",
    "bird",
    "car",
  ]);
});

test("only what stands in a zone, the middle of the box notwithstanding", () => {
  const leftBelowTheMiddle = [
    [0, 0.6],
    [0.5, 0.6],
    [0.5, 1],
    [0, 1],
  ] as const;
  expect(kept({ include: [leftBelowTheMiddle] })).toEqual(["person"]);
  expect(kept({ exclude: [leftBelowTheMiddle] })).toEqual(["bird", "car"]);
});

test("what stands on the picture's lower edge stands in a zone that ends there", () => {
  const lowerHalf = [
    [0, 0.5],
    [1, 0.5],
    [1, 1],
    [0, 1],
  ] as const;
  expect(kept({ include: [lowerHalf] })).toEqual(["person", "car"]);
  const corner = [
    [0.7, 0.9],
    [1, 0.9],
    [1, 1],
    [0.7, 1],
  ] as const;
  expect(kept({ include: [lowerHalf], exclude: [corner] })).toEqual(["person"]);
});
