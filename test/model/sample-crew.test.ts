// Sampling with several threads gives what one thread gives, byte for byte.
import { afterEach, describe, expect, test, vi } from "vitest";
import { pictureBytes, type Picture } from "../../src/model/detection.ts";
import { createSampler } from "../../src/model/sample.ts";
import { createSampleCrew, type SampleCrew } from "../../src/model/sample-crew.ts";
import { SSDLITE_MOBILENET_V2 } from "../../src/model/specs.ts";
import { worstDifference } from "./support/differences.ts";
import { noisePicture } from "./support/pictures.ts";

const INPUT = { ...SSDLITE_MOBILENET_V2.input, width: 61, height: 47 };
const BYTES = 61 * 47 * 3;

function yuv(width: number, height: number): Picture {
  const data = shared(noisePicture(pictureBytes("yuv420p", width, height), 1, width).data).subarray(
    0,
    pictureBytes("yuv420p", width, height),
  );
  return { format: "yuv420p", width, height, data, colour: { matrix: "bt709", fullRange: false } };
}

function shared(data: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(data.length));
  copy.set(data);
  return copy;
}

const rgb = noisePicture(200, 31, 5);
const PICTURES: Picture[] = [yuv(320, 180), { ...rgb, data: shared(rgb.data) }, yuv(33, 77)];

function alone(pictures: readonly Picture[]): Uint8Array {
  const batch = new Uint8Array(pictures.length * BYTES);
  const sampler = createSampler(INPUT);
  for (const [i, picture] of pictures.entries()) sampler(picture, batch, i * BYTES);
  return batch;
}

function together(crew: SampleCrew, pictures: readonly Picture[]): Uint8Array {
  const batch = shared(new Uint8Array(pictures.length * BYTES).fill(1));
  crew.sample(pictures, batch);
  return batch;
}

let crew: SampleCrew | undefined;
afterEach(() => crew?.close());

const complete = async (threads: number): Promise<SampleCrew> => {
  const made = createSampleCrew(INPUT, threads);
  crew = made;
  await vi.waitUntil(() => made.isComplete, { timeout: 30_000 });
  return made;
};

describe.each([1, 2, 3, 16])("a crew for %d threads", (threads) => {
  test("samples batches of any size as one thread does", async () => {
    const own = await complete(threads);
    for (let n = 0; n <= PICTURES.length; n++) {
      const pictures = PICTURES.slice(0, n);
      expect(worstDifference(together(own, pictures), alone(pictures))).toBe(0);
    }
  });
});

describe("a crew", () => {
  test("does not wait for its helpers to start", () => {
    crew = createSampleCrew(INPUT, 4);
    expect(crew.isComplete).toBe(false);
    expect(worstDifference(together(crew, PICTURES), alone(PICTURES))).toBe(0);
  });

  test("takes pictures that are not in shared memory too", async () => {
    const own = await complete(2);
    const pictures = PICTURES.map((picture) => ({ ...picture, data: Uint8Array.from(picture.data) }));
    expect(worstDifference(together(own, pictures), alone(pictures))).toBe(0);
  });

  test("fails on a picture that is none, and goes on with the next", async () => {
    const own = await complete(2);
    const broken = { ...PICTURES[0]!, colour: undefined } as unknown as Picture;
    expect(() => together(own, [broken])).toThrow(TypeError);
    expect(worstDifference(together(own, PICTURES), alone(PICTURES))).toBe(0);
  });
});
