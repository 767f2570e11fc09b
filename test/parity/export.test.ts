// Exported ONNX files give the same numbers in Python's onnxruntime and in OpenCV as in the product.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Bundle } from "../../src/model/bundle.ts";
import { decodePicture } from "../../src/model/decode-picture.ts";
import type { Detection } from "../../src/model/detection.ts";
import { createDetector } from "../../src/model/detector.ts";
import type { RawHeads } from "../../src/model/engines/engine.ts";
import { openOnnxCpu } from "../../src/model/engines/onnx.ts";
import { openEngine } from "../../src/model/engines/open.ts";
import { exportOnnx } from "../../src/model/export/onnx.ts";
import { buildSsd } from "../../src/model/networks/ssd.ts";
import { createSampler } from "../../src/model/sample.ts";
import type { SsdSpec } from "../../src/model/spec.ts";
import { SPECS, SSDLITE_MOBILENET_V2 } from "../../src/model/specs.ts";
import { worstDifference } from "../model/support/differences.ts";
import { livelyWeights } from "../model/support/lively-weights.ts";
import { drawPicture, noisePicture } from "../model/support/pictures.ts";
import { randomBundle } from "../model/support/random-bundle.ts";
import { iou } from "../support/boxes.ts";
import { defaultBundle, testData } from "../support/model.ts";
import { pythonHas, runPython } from "../support/python.ts";

const script = join(import.meta.dirname, "export_onnx.py");
const hasOnnxRuntime = pythonHas("onnxruntime", "numpy");
const hasOpenCv = pythonHas("cv2", "numpy");

type Program = "onnxruntime" | "opencv";
type Outputs = (name: string) => Promise<Buffer>;

/** Runs a file's bytes over pictures that lie one behind the other, and hands `use` what reads the outputs. */
async function inPython<Result>(
  program: Program,
  model: Uint8Array,
  { input: { height, width } }: SsdSpec,
  pictures: Uint8Array,
  use: (outputs: Outputs) => Promise<Result>,
): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), "multibox-export-"));
  try {
    await writeFile(join(folder, "model.onnx"), model);
    await writeFile(join(folder, "pictures.u8"), pictures);
    await runPython(script, [program, folder, `${height}`, `${width}`]);
    return await use((name) => readFile(join(folder, name)));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const floats = (bytes: Buffer): Float32Array => new Float32Array(Uint8Array.from(bytes).buffer);

async function ownHeads(bundle: Bundle, pictures: Uint8Array, n: number): Promise<RawHeads> {
  const engine = await openOnnxCpu(bundle, { threads: 0, precision: "fp32" });
  try {
    const { offsets, logits } = await engine.run(pictures, n);
    return { offsets: offsets.slice(), logits: logits.slice() };
  } finally {
    await engine.close();
  }
}

/** SSD300 whose boxes and classes differ from place to place. */
function livelySsd300(): Bundle {
  const spec = SPECS.find(({ name }) => name === "ssd300-vgg16-voc")!;
  const graph = buildSsd(spec);
  const provenance = { source: "a test", licence: "none" };
  return { spec, provenance, graph, weights: livelyWeights(graph, spec.labels.length, 1) };
}

const programs: readonly [Program, string, boolean][] = [
  ["onnxruntime", "Python with onnxruntime and numpy", hasOnnxRuntime],
  ["opencv", "Python with cv2 and numpy", hasOpenCv],
];
describe.each(programs)("raw heads in %s (needs %s in MULTIBOX_PYTHON)", (program, _, isThere) => {
  test.skipIf(!isThere).each([
    ["the default model", defaultBundle, 1, 1e-4],
    // Nobody has taught these weights to forgive rounding.
    ["SSDLite with random weights", async () => randomBundle(SSDLITE_MOBILENET_V2), 2, 1e-3],
    ["SSD300 with random weights", async () => livelySsd300(), 1, 1e-3],
  ] as const)("are the product's: %s", async (_title, open, n, tolerance) => {
    const bundle = await open();
    const pictures = Buffer.concat([drawPicture(300, 300, 1).data, noisePicture(300, 300, 2).data].slice(0, n));
    const own = await ownHeads(bundle, pictures, n);
    const model = exportOnnx(bundle, { detections: false });
    const [offsets, logits] = await inPython(program, model, bundle.spec, pictures, async (outputs) => [
      floats(await outputs("offsets.f32")),
      floats(await outputs("logits.f32")),
    ]);
    const apart = [worstDifference(offsets, own.offsets), worstDifference(logits, own.logits)];
    expect(Math.max(...apart)).toBeLessThan(tolerance);
  });
});

const names = ["dog.jpg", "horses.jpg", "person.jpg"];
const photos = names.map((name) => testData(`photos/${name}`));
test.skipIf(!hasOnnxRuntime || photos.includes(undefined))(
  "the file with NMS finds on photos what multibox detect finds (needs the test data, and Python with onnxruntime and numpy)",
  async () => {
    const bundle = await defaultBundle();
    const { width, height } = bundle.spec.input;
    const pictures = await Promise.all(photos.map(async (path) => decodePicture(await readFile(path!))));
    const bytes = width * height * 3;
    const pixels = new Uint8Array(pictures.length * bytes);
    const sample = createSampler(bundle.spec.input);
    for (const [i, picture] of pictures.entries()) sample(picture, pixels, i * bytes);
    const opened = await openEngine("onnx:cpu", bundle, { threads: 0, precision: "fp32" });
    const detector = createDetector(bundle, opened, { maxBatch: pictures.length });
    let wanted: readonly Detection[][];
    try {
      wanted = (await detector.detect(pictures)).detections;
    } finally {
      await detector.close();
    }
    const model = exportOnnx(bundle, { detections: true });
    await inPython("onnxruntime", model, bundle.spec, pixels, async (outputs) => {
      const counts = new BigInt64Array(Uint8Array.from(await outputs("counts.i64")).buffer);
      const classes = new BigInt64Array(Uint8Array.from(await outputs("classes.i64")).buffer);
      const [boxes, scores] = [floats(await outputs("boxes.f32")), floats(await outputs("scores.f32"))];
      const most = scores.length / pictures.length;
      expect([...counts].map(Number)).toEqual(wanted.map(({ length }) => length));
      for (const [picture, detections] of wanted.entries()) {
        const size = pictures[picture]!;
        for (const [i, { bbox, score, classId }] of detections.entries()) {
          const at = picture * most + i;
          expect(Number(classes[at])).toBe(classId);
          expect(Math.abs(scores[at]! - score)).toBeLessThan(1e-4);
          const [x, y, w, h] = boxes.subarray(at * 4, at * 4 + 4) as unknown as Detection["bbox"];
          expect(iou([x * size.width, y * size.height, w * size.width, h * size.height], bbox)).toBeGreaterThan(0.99);
        }
      }
    });
  },
);
