// YUV pictures become the RGB that the ITU's recommendations say, in every matrix and range, at every size.
import { describe, expect, test } from "vitest";
import { type ColourTags, pictureBytes, type RgbImage, type YuvImage } from "../../../src/model/detection.ts";
import { createSampler } from "../../../src/model/sample.ts";
import { SSDLITE_MOBILENET_V2 } from "../../../src/model/specs.ts";
import { random } from "../../../src/model/random.ts";

type Triple = readonly [number, number, number];

const LIMITED_601: ColourTags = { matrix: "bt601", fullRange: false };
const ALL_TAGS = (["bt601", "bt709", "bt2020"] as const).flatMap((matrix) =>
  [false, true].map((fullRange): ColourTags => ({ matrix, fullRange })),
);

function sampled(
  picture: YuvImage | RgbImage,
  width: number,
  height: number,
  resize: "asymmetric" | "half-pixel" = "asymmetric",
): Uint8Array {
  const out = new Uint8Array(width * height * 3);
  createSampler({ ...SSDLITE_MOBILENET_V2.input, width, height, resize })(picture, out, 0);
  return out;
}

/** A picture whose samples are what `sample(plane, x, y)` says, planes 0, 1, 2 being Y, U, V. */
function yuv(
  width: number,
  height: number,
  colour: ColourTags,
  sample: (plane: number, x: number, y: number) => number,
): YuvImage {
  const data = new Uint8Array(pictureBytes("yuv420p", width, height));
  let at = 0;
  for (const plane of [0, 1, 2]) {
    const [columns, rows] = plane === 0 ? [width, height] : [Math.ceil(width / 2), Math.ceil(height / 2)];
    for (let y = 0; y < rows; y++) for (let x = 0; x < columns; x++) data[at++] = sample(plane, x, y);
  }
  return { format: "yuv420p", width, height, data, colour };
}

const flat = (colour: ColourTags, yuvTriple: Triple, width = 6, height = 4): YuvImage =>
  yuv(width, height, colour, (plane) => yuvTriple[plane]!);

/** The recommendations' equations, in floats: BT.601 section 2.5, BT.709 section 3, BT.2020 table 4. */
function toRgb([y, u, v]: Triple, { matrix, fullRange }: ColourTags): number[] {
  const [kr, kg, kb] = {
    bt601: [0.299, 0.587, 0.114] as const,
    bt709: [0.2126, 0.7152, 0.0722] as const,
    bt2020: [0.2627, 0.678, 0.0593] as const,
  }[matrix];
  const luma = fullRange ? y / 255 : (y - 16) / 219;
  const [cb, cr] = [u, v].map((chroma) => (chroma - 128) / (fullRange ? 255 : 224)) as [number, number];
  const red = luma + 2 * (1 - kr) * cr;
  const blue = luma + 2 * (1 - kb) * cb;
  const green = (luma - kr * red - kb * blue) / kg;
  return [red, green, blue].map((value) => 255 * Math.min(1, Math.max(0, value)));
}

function worstDifference(actual: Uint8Array, wanted: (pixel: number) => readonly number[]): number {
  let worst = 0;
  for (let i = 0; i < actual.length; i += 3) {
    for (const [c, value] of wanted(i / 3).entries()) worst = Math.max(worst, Math.abs(value - actual[i + c]!));
  }
  return worst;
}

describe("known colours", () => {
  // As test charts have them: the primaries at full strength.
  test.each([
    ["red", "bt601", false, [81, 90, 240], [254, 0, 0]],
    ["green", "bt601", false, [145, 54, 34], [0, 255, 1]],
    ["blue", "bt601", false, [41, 240, 110], [0, 0, 255]],
    ["red", "bt601", true, [76, 85, 255], [254, 0, 0]],
    ["red", "bt709", false, [63, 102, 240], [255, 1, 0]],
    ["green", "bt709", false, [173, 42, 26], [0, 255, 1]],
    ["blue", "bt709", false, [32, 240, 118], [1, 0, 255]],
    ["black", "bt709", false, [16, 128, 128], [0, 0, 0]],
    ["white", "bt709", false, [235, 128, 128], [255, 255, 255]],
    ["grey", "bt709", false, [126, 128, 128], [128, 128, 128]],
    ["red", "bt2020", false, [74, 97, 240], [255, 0, 1]],
    ["black", "bt2020", true, [0, 128, 128], [0, 0, 0]],
    ["white", "bt2020", true, [255, 128, 128], [255, 255, 255]],
    ["blacker than black", "bt601", false, [0, 128, 128], [0, 0, 0]],
    ["whiter than white", "bt601", false, [255, 128, 128], [255, 255, 255]],
  ] as const)("%s in %s, full range: %s", (_, matrix, fullRange, triple, rgb) => {
    const out = sampled(flat({ matrix, fullRange }, triple), 3, 3);
    expect(
      worstDifference(out, () => rgb),
      `found ${out.subarray(0, 3).join(" ")}`,
    ).toBeLessThanOrEqual(1);
  });

  test.each(ALL_TAGS)("4096 colours all over $matrix, full range: $fullRange, are right to one level", (tags) => {
    // One pixel's worth of chroma for each: 64 x 64 cells of 2 x 2.
    const level = (cell: number, bits: number): number => Math.round((((cell >> bits) & 15) * 255) / 15);
    const cell = (x: number, y: number): number => y * 64 + x;
    const picture = yuv(128, 128, tags, (plane, x, y) =>
      plane === 0 ? level(cell(x >> 1, y >> 1), 0) : level(cell(x, y), plane === 1 ? 4 : 8),
    );
    const worst = worstDifference(sampled(picture, 128, 128), (pixel) => {
      const at = cell((pixel % 128) >> 1, Math.floor(pixel / 128) >> 1);
      return toRgb([level(at, 0), level(at, 4), level(at, 8)], tags);
    });
    expect(worst).toBeLessThanOrEqual(1);
  });
});

describe("sizes", () => {
  test.each([
    [1, 1],
    [2, 1],
    [1, 2],
    [3, 3],
    [5, 3],
    [7, 8],
    [33, 17],
  ])(
    "%d x %d: each pixel has its own luma and the chroma of its cell, at the last odd one as well",
    (width, height) => {
      const next = random(width * height);
      const samples = [0, 1, 2].map(() => Array.from({ length: width * height }, () => Math.floor(next() * 256)));
      const picture = yuv(width, height, LIMITED_601, (plane, x, y) => samples[plane]![y * width + x]!);
      const worst = worstDifference(sampled(picture, width, height), (pixel) => {
        const [x, y] = [pixel % width, Math.floor(pixel / width)];
        const cell = (y >> 1) * width + (x >> 1);
        return toRgb([samples[0]![pixel]!, samples[1]![cell]!, samples[2]![cell]!], LIMITED_601);
      });
      expect(worst).toBeLessThanOrEqual(1);
    },
  );

  test.each([
    [1, 1],
    [64, 48],
    [301, 299],
    [1279, 719],
  ])("%d x %d of one colour stays of that colour", (width, height) => {
    const triple = [120, 100, 160] as const;
    const wanted = toRgb(triple, LIMITED_601);
    for (const resize of ["asymmetric", "half-pixel"] as const) {
      const out = sampled(flat(LIMITED_601, triple, width, height), 300, 300, resize);
      expect(worstDifference(out, () => wanted)).toBeLessThanOrEqual(1);
    }
  });

  test.each(["asymmetric", "half-pixel"] as const)("luma is interpolated as RGB is, %s", (resize) => {
    const next = random(3);
    const levels = Uint8Array.from({ length: 203 * 107 }, () => next() * 256);
    const tags: ColourTags = { matrix: "bt709", fullRange: true };
    const grey = yuv(203, 107, tags, (plane, x, y) => (plane === 0 ? levels[y * 203 + x]! : 128));
    const rgb = new Uint8Array(levels.length * 3);
    for (const [i, level] of levels.entries()) rgb.fill(level, i * 3, i * 3 + 3);
    const wanted = sampled({ format: "rgb24", width: 203, height: 107, data: rgb }, 300, 300, resize);
    const worst = worstDifference(sampled(grey, 300, 300, resize), (pixel) => [
      ...wanted.subarray(pixel * 3, pixel * 3 + 3),
    ]);
    expect(worst).toBeLessThanOrEqual(1);
  });
});

test.each(ALL_TAGS)("a ramp of luma never falls, $matrix, full range: $fullRange", (tags) => {
  const ramp = yuv(256, 2, tags, (plane, x) => (plane === 0 ? x : 90));
  const out = sampled(ramp, 1000, 1);
  for (const channel of [0, 1, 2]) {
    const levels = [...out].filter((_, i) => i % 3 === channel);
    expect(levels).toEqual(levels.toSorted((a, b) => a - b));
    expect(new Set(levels).size).toBeGreaterThan(150);
  }
});

test("a picture in shared memory is read where it lies", () => {
  const picture = flat(LIMITED_601, [81, 90, 240]);
  const shared = new Uint8Array(new SharedArrayBuffer(picture.data.length));
  shared.set(picture.data);
  expect(sampled({ ...picture, data: shared }, 3, 3)).toEqual(sampled(picture, 3, 3));
});
