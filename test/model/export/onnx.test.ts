// Exported ONNX files, opened by onnxruntime as a stranger would, and held against what the product itself detects.
import { readFile } from "node:fs/promises";
import { InferenceSession, Tensor } from "onnxruntime-node";
import onnxProto from "onnx-proto";
import { describe, expect, test } from "vitest";
import type { Bundle } from "../../../src/model/bundle.ts";
import { decodePicture } from "../../../src/model/decode-picture.ts";
import type { Detection } from "../../../src/model/detection.ts";
import { openOnnxCpu } from "../../../src/model/engines/onnx.ts";
import { exportOnnx } from "../../../src/model/export/onnx.ts";
import { createPostProcess } from "../../../src/model/post-process.ts";
import { createSampler } from "../../../src/model/sample.ts";
import { boxCount } from "../../../src/model/default-boxes.ts";
import { type PostProcessSpec, SsdSpec } from "../../../src/model/spec.ts";
import { PAPER_POST_PROCESS } from "../../../src/model/specs.ts";
import { iou } from "../../support/boxes.ts";
import { defaultBundle, testData } from "../../support/model.ts";
import { worstDifference } from "../support/differences.ts";
import { drawPicture, noisePicture } from "../support/pictures.ts";
import { randomBundle } from "../support/random-bundle.ts";
import { smallSpec } from "../support/small-spec.ts";

/** Runs a file's bytes over uint8 pictures that lie one behind the other. */
async function runFile(bytes: Uint8Array, spec: SsdSpec, batch: Uint8Array): Promise<Record<string, Tensor>> {
  const session = await InferenceSession.create(bytes);
  try {
    const { width, height } = spec.input;
    const dims = [batch.length / (width * height * 3), height, width, 3];
    return await session.run({ pictures: new Tensor("uint8", batch, dims) });
  } finally {
    await session.release();
  }
}

/** The detections of one picture of a file with NMS inside, in a picture of `width` x `height`. */
function detectionsOf(
  answer: Record<string, Tensor>,
  spec: SsdSpec,
  picture: number,
  [width, height]: Size,
): Detection[] {
  const [boxes, scores] = [answer["boxes"]!.data as Float32Array, answer["scores"]!.data as Float32Array];
  const [classes, counts] = [answer["classes"]!.data as BigInt64Array, answer["counts"]!.data as BigInt64Array];
  const rows = answer["scores"]!.dims[1]!;
  return Array.from({ length: Number(counts[picture]) }, (_, i) => {
    const at = picture * rows + i;
    const [x, y, w, h] = boxes.subarray(at * 4, at * 4 + 4) as unknown as [number, number, number, number];
    const classId = Number(classes[at]);
    const bbox = [x * width, y * height, w * width, h * height] as const;
    return { bbox, score: scores[at]!, label: spec.labels[classId]!, classId };
  });
}
type Size = readonly [width: number, height: number];

/** What the product finds with the raw heads of the same pixels. */
async function ownDetections(bundle: Bundle, batch: Uint8Array, sizes: readonly Size[]): Promise<Detection[][]> {
  const engine = await openOnnxCpu(bundle, { threads: 1 });
  const postProcess = createPostProcess(bundle.spec);
  try {
    const { offsets, logits } = await engine.run(batch, sizes.length);
    const boxes = boxCount(bundle.spec);
    const classes = bundle.spec.labels.length;
    return sizes.map(([width, height], i) =>
      postProcess({ offsets, offsetsAt: i * boxes * 4, logits, logitsAt: i * boxes * classes }, width, height),
    );
  } finally {
    await engine.close();
  }
}

/** One to one in the same order, but for neighbours whose scores are equal to six digits. */
function expectEqual(found: readonly Detection[], wanted: readonly Detection[]): void {
  const key = ({ score, classId, bbox }: Detection): string => `${score.toFixed(6)} ${classId} ${bbox[0].toFixed(2)}`;
  const sorted = (all: readonly Detection[]): Detection[] => [...all].sort((a, b) => (key(a) < key(b) ? 1 : -1));
  const [ours, theirs] = [sorted(wanted), sorted(found)];
  expect(theirs.map(({ label, classId }) => [label, classId])).toEqual(
    ours.map(({ label, classId }) => [label, classId]),
  );
  for (const [i, { bbox, score }] of theirs.entries()) {
    expect(score).toBeCloseTo(ours[i]!.score, 5);
    expect(iou(bbox, ours[i]!.bbox)).toBeGreaterThan(0.999);
  }
}

describe("an ONNX file with raw heads", () => {
  const spec = smallSpec();
  const bundle = randomBundle(spec);
  const bytes = exportOnnx(bundle, { detections: false });

  test("gives the engine's own numbers for uint8 pictures, several at a time", async () => {
    const batch = Uint8Array.from([...noisePicture(96, 96, 1).data, ...drawPicture(96, 96, 2).data]);
    const answer = await runFile(bytes, spec, batch);
    const engine = await openOnnxCpu(bundle, { threads: 1 });
    try {
      const own = await engine.run(batch, 2);
      expect(answer["offsets"]!.dims).toEqual([2, boxCount(spec), 4]);
      expect(answer["logits"]!.dims).toEqual([2, boxCount(spec), 7]);
      expect(worstDifference(answer["offsets"]!.data as Float32Array, own.offsets)).toBeLessThan(1e-4);
      expect(worstDifference(answer["logits"]!.data as Float32Array, own.logits)).toBeLessThan(1e-4);
    } finally {
      await engine.close();
    }
  });

  test("has 1x1 kernels where a map is one pixel, and larger ones where it has more", () => {
    const { initializer } = onnxProto.onnx.ModelProto.decode(bytes).graph!;
    const sides = (name: string): unknown =>
      initializer!.find((one) => one.name === `${name}.weight`)?.dims?.map(Number);
    expect(sides("head5.offsets.depthwise")).toEqual([128, 1, 1, 1]);
    expect(sides("head2.offsets.depthwise")).toEqual([512, 1, 3, 3]);
  });

  test("says in its metadata what its numbers mean", () => {
    const { metadataProps, producerName } = onnxProto.onnx.ModelProto.decode(bytes);
    const metadata = new Map(metadataProps.map(({ key, value }) => [key, value]));
    const json = (key: string): unknown => JSON.parse(metadata.get(key) ?? "");
    expect(producerName).toBe("multibox");
    expect([metadata.get("name"), metadata.get("version")]).toEqual(["small", "7"]);
    expect(json("labels")).toEqual(spec.labels);
    expect(json("input")).toEqual(spec.input);
    expect(SsdSpec.parse(json("spec"))).toEqual(spec);
    expect(json("provenance")).toEqual(bundle.provenance);
  });
});

describe("an ONNX file with NMS", () => {
  const cases: readonly [string, Partial<PostProcessSpec>, Partial<SsdSpec>][] = [
    ["sigmoid scores", {}, {}],
    ["softmax scores", {}, { scores: "softmax" }],
    ["the best ten of a class", { topKPerClass: 10 }, { scores: "softmax" }],
    ["more than there are of a class", { topKPerClass: 1000 }, {}],
    ["boxes that suppress all classes", { classAgnostic: true }, { scores: "softmax" }],
    ["boxes that suppress as they are", { cutFirst: false }, { variances: [0.3, 0.3, 0.3, 0.3] }],
    ["few detections", { maxDetections: 7 }, {}],
    ["a high threshold", { minScore: 0.9 }, {}],
    ["no threshold", { minScore: 0, maxDetections: 5000 }, { scores: "softmax" }],
    ["a threshold that none passes", { minScore: 1 }, { scores: "softmax" }],
    ["default boxes that are clipped", { iouThreshold: 0.8 }, { clipBoxes: true, variances: [0.2, 0.1, 0.3, 0.1] }],
  ];

  test.each(cases)("finds what multibox finds: %s", async (title, postProcess, parts) => {
    const spec = smallSpec({ ...parts, postProcess: { ...PAPER_POST_PROCESS, ...postProcess } });
    const bundle = randomBundle(spec, 3);
    const batch = Uint8Array.from([
      ...noisePicture(96, 96, 4).data,
      ...drawPicture(96, 96, 5).data,
      ...drawPicture(96, 96, 6).data,
    ]);
    const answer = await runFile(exportOnnx(bundle, { detections: true }), spec, batch);
    const size: Size = [640, 480];
    const wanted = await ownDetections(bundle, batch, [size, size, size]);
    expect(wanted.some((detections) => detections.length > 0)).toBe(title !== "a threshold that none passes");
    for (const [i, detections] of wanted.entries()) expectEqual(detectionsOf(answer, spec, i, size), detections);
  });

  test("fills rows that hold no detection with zeros and the class -1", async () => {
    const spec = smallSpec({ postProcess: { ...PAPER_POST_PROCESS, minScore: 0.9, maxDetections: 900 } });
    const answer = await runFile(
      exportOnnx(randomBundle(spec), { detections: true }),
      spec,
      noisePicture(96, 96, 1).data,
    );
    const count = Number((answer["counts"]!.data as BigInt64Array)[0]);
    expect(count).toBeGreaterThan(0);
    expect(count).toBeLessThan(900);
    expect(answer["boxes"]!.dims).toEqual([1, 900, 4]);
    expect((answer["scores"]!.data as Float32Array).subarray(count).every((score) => score === 0)).toBe(true);
    expect((answer["classes"]!.data as BigInt64Array).subarray(count).every((id) => id === -1n)).toBe(true);
    expect((answer["boxes"]!.data as Float32Array).subarray(count * 4).every((side) => side === 0)).toBe(true);
  });

  test("is refused for Soft-NMS, which ONNX cannot say", () => {
    const spec = smallSpec({ postProcess: { ...PAPER_POST_PROCESS, suppression: "soft" } });
    const message = expect.stringContaining("Soft-NMS") as string;
    expect(() => exportOnnx(randomBundle(spec), { detections: true })).toThrow(
      expect.objectContaining({ code: "EXPORT_UNSUPPORTED", message }),
    );
  });

  const photos = ["dog.jpg", "horses.jpg", "person.jpg"].map((name) => testData(`photos/${name}`));
  test.skipIf(photos.includes(undefined))(
    "finds the default model's detections on photos (needs the test data)",
    async () => {
      const bundle = await defaultBundle();
      const pictures = await Promise.all(photos.map(async (path) => decodePicture(await readFile(path!))));
      const bytes = 300 * 300 * 3;
      const batch = new Uint8Array(pictures.length * bytes);
      const sample = createSampler(bundle.spec.input);
      for (const [i, picture] of pictures.entries()) sample(picture, batch, i * bytes);
      const sizes = pictures.map(({ width, height }): Size => [width, height]);
      const wanted = await ownDetections(bundle, batch, sizes);
      const answer = await runFile(exportOnnx(bundle, { detections: true }), bundle.spec, batch);
      for (const [i, detections] of wanted.entries()) {
        expect(detections.length).toBeGreaterThan(10);
        expectEqual(detectionsOf(answer, bundle.spec, i, sizes[i]!), detections);
      }
    },
  );
});
