// The kernel that samples YUV gives what plain floats give, for every size, colour and place in memory, and writes nowhere else.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type ColourTags, pictureBytes, type YuvImage } from "../../../src/model/detection.ts";
import { createSampler } from "../../../src/model/sample.ts";
import { openSampleKernel } from "../../../src/model/sample/kernel.ts";
import { sampleTaps } from "../../../src/model/sample/taps.ts";
import { createYuvSampler, kernelColumns } from "../../../src/model/sample/yuv.ts";
import type { SsdSpec } from "../../../src/model/spec.ts";
import { SSDLITE_MOBILENET_V2 } from "../../../src/model/specs.ts";
import { plainSample } from "../../support/plain-sample.ts";
import { worstDifference } from "../support/differences.ts";
import { random } from "../../../src/model/random.ts";

const TAGS = (["bt601", "bt709", "bt2020"] as const).flatMap((matrix) =>
  [false, true].map((fullRange): ColourTags => ({ matrix, fullRange })),
);

// Half a level for rounding, and what the kernel's fixed point adds.
const EXACT = 0.6;

function input(width: number, height: number, resize: SsdSpec["input"]["resize"] = "asymmetric"): SsdSpec["input"] {
  return { ...SSDLITE_MOBILENET_V2.input, width, height, resize };
}

/** Noise, which has every level and the hardest edges. */
function noise(width: number, height: number, colour = TAGS[0]!, seed = 1): YuvImage {
  const next = random(seed);
  const data = Uint8Array.from({ length: pictureBytes("yuv420p", width, height) }, () => next() * 256);
  return { format: "yuv420p", width, height, data, colour };
}

function sampled(picture: YuvImage, to: SsdSpec["input"]): Uint8Array {
  const out = new Uint8Array(to.width * to.height * 3);
  createSampler(to)(picture, out, 0);
  return out;
}

function plain(picture: YuvImage, { width, height, resize }: SsdSpec["input"]): Float64Array {
  const out = new Float64Array(width * height * 3);
  plainSample(picture, sampleTaps(picture.width, width, resize), sampleTaps(picture.height, height, resize), out);
  return out;
}

describe("levels are those of plain floats", () => {
  test.each([
    [1, 1],
    [2, 2],
    [3, 5],
    [1, 400],
    [400, 1],
    [17, 9],
    [301, 299],
    [1279, 719],
    [1920, 1080],
    [60, 4000],
    [4000, 60],
  ])("%d x %d, for networks of whole and of broken groups of columns", (width, height) => {
    const picture = noise(width, height);
    for (const resize of ["asymmetric", "half-pixel"] as const) {
      for (const to of [input(300, 300, resize), input(64, 96, resize), input(61, 47, resize), input(1, 1, resize)]) {
        expect(worstDifference(sampled(picture, to), plain(picture, to))).toBeLessThan(EXACT);
      }
    }
  });

  test.each(TAGS)("in $matrix, full range: $fullRange", (colour) => {
    const picture = noise(320, 180, colour);
    expect(worstDifference(sampled(picture, input(300, 300)), plain(picture, input(300, 300)))).toBeLessThan(EXACT);
  });

  test("wherever in shared memory the picture begins", () => {
    const { data, ...rest } = noise(125, 67);
    const wanted = sampled({ data, ...rest }, input(61, 47));
    for (let begin = 0; begin < 9; begin++) {
      const shared = new Uint8Array(new SharedArrayBuffer(data.length + begin), begin);
      shared.set(data);
      expect(worstDifference(sampled({ ...rest, data: shared }, input(61, 47)), wanted)).toBe(0);
    }
  });
});

describe("a sampler", () => {
  test("samples pictures of changing sizes and colours as a new one does", () => {
    const to = input(61, 47);
    const samplers = [createSampler(to), createSampler(to)];
    const out = new Uint8Array(61 * 47 * 3);
    for (const [i, colour] of [...TAGS, ...TAGS].entries()) {
      const picture = noise(20 + 50 * (i % 5), 300 - 70 * (i % 4), colour, i);
      // In turn, so that each would meet what the other had left.
      for (const sampler of samplers) {
        sampler(picture, out.fill(0), 0);
        expect(worstDifference(out, sampled(picture, to))).toBe(0);
      }
    }
  });

  test("writes where it is told and nowhere else", () => {
    const to = input(5, 3);
    const out = new Uint8Array(4 + 45 + 30).fill(7);
    createSampler(to)(noise(9, 9), out, 4);
    expect([...out.subarray(0, 4), ...out.subarray(49)]).toEqual(Array.from({ length: 34 }, () => 7));
    expect(out.subarray(4, 49)).toEqual(sampled(noise(9, 9), to));
  });

  test("refuses a picture that is cut off, because the rest would be another's", () => {
    const picture = noise(16, 16);
    const cut = { ...picture, data: picture.data.subarray(0, -1) };
    expect(() => sampled(cut, input(8, 8))).toThrow("A picture of 384 bytes has 383.");
  });

  test("has a few hundred KB of memory also for 8000 x 6000", () => {
    const kernel = openSampleKernel();
    const sample = createYuvSampler(300, 300, kernel);
    const data = new Uint8Array(pictureBytes("yuv420p", 8000, 6000)).fill(128);
    for (let y = 0; y < 6000; y++) data.fill(y >> 5, y * 8000, y * 8000 + 8000);
    const picture: YuvImage = { format: "yuv420p", width: 8000, height: 6000, data, colour: TAGS[1]! };
    const [x, y] = [sampleTaps(8000, 300, "half-pixel"), sampleTaps(6000, 300, "half-pixel")];
    const out = new Uint8Array(300 * 300 * 3);
    sample(picture, { columns: kernelColumns(x), y }, out, 0);
    expect(worstDifference(out, plain(picture, input(300, 300, "half-pixel")))).toBeLessThan(EXACT);
    expect(kernel.bytes(0).length).toBeLessThan(600_000);
  });
});

describe("a kernel that cannot be loaded is said to be", () => {
  test("when it was not built", () => {
    const hint = expect.stringContaining("npm run build:kernels") as string;
    expect(() => openSampleKernel("#kernels/none.wasm")).toThrow(
      expect.objectContaining({ code: "KERNEL_UNAVAILABLE", hint }),
    );
  });

  test("when it is broken", async () => {
    const folder = await mkdtemp(join(tmpdir(), "multibox-kernel-"));
    try {
      const file = join(folder, "broken.wasm");
      await writeFile(file, "no code");
      expect(() => openSampleKernel(file)).toThrow(expect.objectContaining({ code: "KERNEL_UNAVAILABLE" }));
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
