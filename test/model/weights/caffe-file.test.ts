// Caffe's files: blobs by their layers' names, in the layouts of both ages, and what becomes of files that are broken.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readCaffe } from "../../../src/model/weights/caffe-file.ts";
import type { Tensors } from "../../../src/model/weights/safetensors.ts";
import { caffeModel } from "../support/caffemodels.ts";

let folder: string;
let file: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "multibox-caffe-"));
  file = join(folder, "net.caffemodel");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function read(bytes: Uint8Array): Promise<Tensors> {
  await writeFile(file, bytes);
  return readCaffe(file);
}

const tensor = (...shape: number[]): { shape: number[]; data: Float32Array } => {
  const data = Float32Array.from({ length: shape.reduce((product, size) => product * size, 1) }, (_, i) => i + 0.5);
  return { shape, data };
};
const BLOBS: Tensors = new Map([
  ["conv1_1.weight", tensor(4, 3, 3, 3)],
  ["conv1_1.bias", tensor(4)],
  ["fc6.weight", tensor(2, 300)],
  ["fc6.bias", tensor(2)],
]);

test.each(["new", "old"] as const)("the %s layout is read", async (layout) => {
  expect([...(await read(caffeModel(BLOBS, layout)))]).toEqual([...BLOBS]);
});

test("a third blob of a layer has its number for a name", async () => {
  const three: Tensors = new Map([
    ["norm.weight", tensor(2)],
    ["norm.bias", tensor(2)],
    ["norm.2", tensor(1)],
  ]);
  expect([...(await read(caffeModel(three))).keys()]).toEqual(["norm.weight", "norm.bias", "norm.2"]);
});

const whole = caffeModel(BLOBS);
const wrongShape = Buffer.from(whole);
wrongShape[wrongShape.indexOf(Buffer.of(4, 3, 3, 3))] = 5;
test.each([
  ["nothing in it", Buffer.alloc(0), "there are no layers with weights in it"],
  ["a picture in it", Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 16]), "it is no whole message of Protocol Buffers"],
  ["its end cut off", whole.subarray(0, -100), "it is no whole message of Protocol Buffers"],
  ["a network without weights", caffeModel(new Map()), "there are no layers with weights in it"],
  [
    "a shape that is not that of its numbers",
    wrongShape,
    "conv1_1.weight has 432 bytes of numbers and the shape 5x3x3x3",
  ],
])("a file with %s is WEIGHTS_UNREADABLE", async (_, bytes, why) => {
  await expect(read(bytes)).rejects.toMatchObject({
    code: "WEIGHTS_UNREADABLE",
    message: expect.stringMatching(/^\S+net\.caffemodel is not a readable Caffe model: .*\.$/),
  });
  await expect(read(bytes)).rejects.toThrow(why);
});
