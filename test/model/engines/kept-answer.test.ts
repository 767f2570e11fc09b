// With a floor onnx:cpu answers only some boxes: all that can be reported are among them, bit by bit, and nothing of an older batch is.
import { describe, expect, test } from "vitest";
import { onnx } from "../../../src/model/compile/onnx-proto.ts";
import { compileOnnx } from "../../../src/model/compile/onnx.ts";
import { createDetector, type Detector, floorOf } from "../../../src/model/detector.ts";
import type { Engine, Floor } from "../../../src/model/engines/engine.ts";
import { openOnnxCpu } from "../../../src/model/engines/onnx.ts";
import { buildSsd } from "../../../src/model/networks/ssd.ts";
import type { SsdSpec } from "../../../src/model/spec.ts";
import type { Tensors } from "../../../src/model/weights/safetensors.ts";
import { livelyWeights } from "../support/lively-weights.ts";
import { drawPicture } from "../support/pictures.ts";
import { randomWeights } from "../support/random-weights.ts";
import { smallSpec } from "../support/small-spec.ts";
import { smallVggGraph } from "../support/small-vgg.ts";

interface Case {
  readonly spec: SsdSpec;
  readonly graph: ReturnType<typeof buildSsd>;
  readonly weights: Tensors;
}

function sigmoid(): Case {
  const spec = smallSpec();
  const graph = buildSsd(spec);
  return { spec, graph, weights: randomWeights(graph, 1) };
}

function softmax(): Case {
  const { spec, graph } = smallVggGraph();
  return { spec, graph, weights: livelyWeights(graph, spec.labels.length) };
}

/** Batches of several sizes, one after the other, each of other pictures. */
function batches({ input: { width, height } }: SsdSpec): { pictures: Uint8Array; n: number }[] {
  const pictures = (first: number, n: number): Uint8Array =>
    Buffer.concat(Array.from({ length: n }, (_, i) => drawPicture(width, height, first + i).data));
  return [2, 1, 5, 3].map((n, i) => ({ n, pictures: pictures(10 * i + 1, n) }));
}

const copyOf = async (
  engine: Engine,
  pictures: Uint8Array,
  n: number,
): Promise<{ offsets: Float32Array; logits: Float32Array }> => {
  const { offsets, logits } = await engine.run(pictures, n);
  return { offsets: offsets.slice(), logits: logits.slice() };
};

const isEqual = (one: Float32Array, other: Float32Array): boolean => one.every((value, i) => value === other[i]);

/** The best score of a box, the background's aside, as the paper has it. */
function bestScore(row: Float32Array, scores: Floor["scores"]): number {
  const rest = [...row.subarray(1)];
  if (scores === "sigmoid") return Math.max(...rest.map((logit) => 1 / (1 + Math.exp(-logit))));
  const sum = [...row].reduce((total, logit) => total + Math.exp(logit), 0);
  return Math.max(...rest.map((logit) => Math.exp(logit) / sum));
}

describe.each([
  ["sigmoids", sigmoid],
  ["a softmax", softmax],
] as const)("scores by %s", (_, make) => {
  test("a floor leaves out what cannot reach it, and nothing else", async () => {
    const { spec, graph, weights } = make();
    const classes = spec.labels.length;
    const all = await openOnnxCpu({ graph, weights }, { threads: 1 });
    const counts = { kept: 0, left: 0 };
    for (const minScore of [0.2, 0.5, 0.7]) {
      const some = await openOnnxCpu({ graph, weights }, { threads: 1, floor: { minScore, scores: spec.scores } });
      for (const { pictures, n } of batches(spec)) {
        const [whole, part] = [await copyOf(all, pictures, n), await copyOf(some, pictures, n)];
        expect(part.logits).toHaveLength(whole.logits.length);
        for (let box = 0; box < whole.offsets.length / 4; box++) {
          const row = whole.logits.subarray(box * classes, (box + 1) * classes);
          const answered = part.logits.subarray(box * classes, (box + 1) * classes);
          const isLeft = answered[1] === -Infinity;
          counts[isLeft ? "left" : "kept"] += 1;
          // What is answered is bit by bit the same, and what is not could not have been reported.
          const offsets = [part, whole].map((heads) => heads.offsets.subarray(box * 4, box * 4 + 4));
          const isRight = isLeft
            ? bestScore(row, spec.scores) < minScore && bestScore(answered, spec.scores) === 0
            : isEqual(answered, row) && isEqual(offsets[0]!, offsets[1]!);
          expect(isRight, `box ${box}`).toBe(true);
        }
      }
      await some.close();
    }
    await all.close();
    expect(counts.kept).toBeGreaterThan(100);
    expect(counts.left).toBeGreaterThan(100);
  });

  test("a detector finds the same with it as without", async () => {
    const { spec, graph, weights } = make();
    const bundle = { spec, graph, weights, provenance: { source: "random numbers", licence: "none" } };
    const detectorOf = async (floor: Floor | undefined, minScore: number): Promise<Detector> => {
      const engine = await openOnnxCpu(bundle, { threads: 1, floor });
      return createDetector(bundle, { engine, reason: "" }, { maxBatch: 5, minScore });
    };
    for (const minScore of [0.2, 0.55]) {
      const floor = floorOf(spec, { minScore });
      expect(floor).toEqual({ minScore, scores: spec.scores });
      const [plain, floored] = await Promise.all([detectorOf(undefined, minScore), detectorOf(floor, minScore)]);
      let found = 0;
      for (const seed of [1, 2, 3]) {
        const pictures = [drawPicture(200, 100, seed), drawPicture(64, 90, seed + 5)];
        const { detections } = await plain.detect(pictures);
        expect((await floored.detect(pictures)).detections).toEqual(detections);
        found += detections.flat().length;
      }
      await Promise.all([plain.close(), floored.close()]);
      expect(found).toBeGreaterThan(0);
    }
  });
});

test("there is no floor where every box may be reported", () => {
  const spec = smallSpec();
  expect(floorOf(spec, { minScore: 0 })).toBeUndefined();
  expect(floorOf({ ...spec, labels: ["cat", "dog"] }, { minScore: 0.5 })).toBeUndefined();
  expect(floorOf(spec, { postProcess: { minScore: 0.4 } })).toEqual({ minScore: 0.4, scores: "sigmoid" });
});

test("a model without a floor has the outputs that it always had", () => {
  const { graph, weights } = sigmoid();
  const outputs = (floor?: Floor): (string | null | undefined)[] =>
    onnx.ModelProto.decode(compileOnnx(graph, weights, undefined, floor)).graph!.output!.map(({ name }) => name);
  expect(outputs()).toEqual([graph.offsets, graph.logits]);
  expect(outputs({ minScore: 0.5, scores: "sigmoid" })).toHaveLength(3);
});
