// What the parity tests of SSD300 and SSD512 share: pictures of the network's size, our raw heads for them, our detections.
import { readFile } from "node:fs/promises";
import type { Detection, RgbImage } from "../../../src/model/detection.ts";
import type { RawHeads } from "../../../src/model/engines/engine.ts";
import { openOnnxCpu } from "../../../src/model/engines/onnx.ts";
import { buildSsd } from "../../../src/model/networks/ssd.ts";
import { choosePostProcess, createPostProcess } from "../../../src/model/post-process.ts";
import { createSampler } from "../../../src/model/sample.ts";
import { boxCount } from "../../../src/model/default-boxes.ts";
import type { PostProcessSpec, SsdSpec } from "../../../src/model/spec.ts";
import { SPECS } from "../../../src/model/specs.ts";
import type { Tensors } from "../../../src/model/weights/safetensors.ts";
import { photo } from "./pictures.ts";

/** Three photos that the other programs see too; drawings in their place where there are none. */
export function parityPhotos(): Promise<Awaited<ReturnType<typeof photo>>[]> {
  return Promise.all(["dog.jpg", "horses.jpg", "person.jpg"].map((name, i) => photo(name, 11 + i)));
}

/** The numbers that a program wrote, as little-endian float32. */
export async function readFloats(file: string): Promise<Float32Array> {
  return new Float32Array(Uint8Array.from(await readFile(file)).buffer);
}

/** A preset in which gaps in the ids are classes too: other implementations report them. */
export function specWithoutGaps(name: string): SsdSpec {
  const spec = SPECS.find((one) => one.name === name)!;
  return { ...spec, labels: spec.labels.map((label, id) => (id === 0 ? null : (label ?? `gap ${id}`))) };
}

/** Pictures of any sizes as the network sees them, one after the other. */
export function sampled({ input }: SsdSpec, pictures: readonly RgbImage[]): Uint8Array {
  const size = input.width * input.height * 3;
  const out = new Uint8Array(pictures.length * size);
  const sample = createSampler(input);
  for (const [i, picture] of pictures.entries()) sample(picture, out, i * size);
  return out;
}

/** What onnx:cpu answers for each of these pictures. */
export async function rawHeads(spec: SsdSpec, weights: Tensors, pixels: Uint8Array): Promise<RawHeads[]> {
  const engine = await openOnnxCpu({ graph: buildSsd(spec), weights }, { threads: 0, precision: "fp32" });
  try {
    const size = spec.input.width * spec.input.height * 3;
    const answers: RawHeads[] = [];
    for (let at = 0; at < pixels.length; at += size) {
      const { offsets, logits } = await engine.run(pixels.subarray(at, at + size), 1);
      answers.push({ offsets: offsets.slice(), logits: logits.slice() });
    }
    return answers;
  } finally {
    await engine.close();
  }
}

/** The raw heads of each picture out of those of all. */
export function headsOf(spec: SsdSpec, offsets: Float32Array, logits: Float32Array): RawHeads[] {
  const boxes = boxCount(spec);
  const part = (values: Float32Array, i: number, columns: number): Float32Array =>
    values.subarray(i * boxes * columns, (i + 1) * boxes * columns);
  return Array.from({ length: offsets.length / boxes / 4 }, (_, i) => ({
    offsets: part(offsets, i, 4),
    logits: part(logits, i, spec.labels.length),
  }));
}

/** Detections in a picture of the network's own size. */
export function detectionsOf(
  spec: SsdSpec,
  { offsets, logits }: RawHeads,
  chosen: Partial<PostProcessSpec> = {},
): Detection[] {
  const postProcess = createPostProcess(spec, choosePostProcess(spec, chosen));
  return postProcess({ offsets, offsetsAt: 0, logits, logitsAt: 0 }, spec.input.width, spec.input.height);
}

/** How many detections there can be at most. */
export const mostDetections = (spec: SsdSpec): number => boxCount(spec) * spec.labels.length;
