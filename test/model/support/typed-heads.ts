// Networks of a few boxes whose heads are typed out, and what post-processing finds in them.
import type { Heads } from "../../../src/model/post-process/candidates.ts";
import { createPostProcess } from "../../../src/model/post-process.ts";
import { boxCount } from "../../../src/model/default-boxes.ts";
import type { PostProcessSpec, SsdSpec } from "../../../src/model/spec.ts";
import { PAPER_POST_PROCESS } from "../../../src/model/specs.ts";
import { tinySpec } from "./tiny-spec.ts";

/** The logit whose sigmoid is this score. */
export const logit = (score: number): number => Math.log(score / (1 - score));
export const NEVER = -100;

/** A spec with these centred boxes on one cell, `[width, height]`. */
export function specOf(sizes: readonly (readonly [number, number])[], parts: Partial<SsdSpec> = {}): SsdSpec {
  const boxes = sizes.map(([width, height]) => ({ scale: Math.sqrt(width * height), ratio: width / height }));
  return tinySpec({ maps: [{ cells: 1, boxes }], ...parts });
}

/** Heads of one picture: for each box its logits, and its offsets where they are not 0. */
export function headsOf(
  spec: SsdSpec,
  logits: readonly (readonly number[])[],
  offsets?: readonly (readonly number[])[],
): Heads {
  return {
    logits: Float32Array.from(logits.flat()),
    logitsAt: 0,
    offsets: offsets ? Float32Array.from(offsets.flat()) : new Float32Array(boxCount(spec) * 4),
    offsetsAt: 0,
  };
}

export const SETTINGS: PostProcessSpec = {
  ...PAPER_POST_PROCESS,
  minScore: 0.3,
  iouThreshold: 0.45,
  maxDetections: 10,
};

/** What is left, as `label score`, on a picture of 100 x 100. */
export function found(spec: SsdSpec, heads: Heads, settings: Partial<PostProcessSpec> = {}): string[] {
  const detections = createPostProcess(spec, { ...SETTINGS, ...settings })(heads, 100, 100);
  return detections.map(({ label, score }) => `${label} ${score.toFixed(2)}`);
}
