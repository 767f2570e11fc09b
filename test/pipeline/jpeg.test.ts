// JPEGs of YUV pictures: colours, sizes, and what happens when the thread that makes them goes.
import sharp from "sharp";
import { afterAll, describe, expect, test } from "vitest";
import { pictureBytes, type ColourTags, type YuvImage } from "../../src/model/detection.ts";
import { JpegEncoder } from "../../src/pipeline/jpeg.ts";
import { yuvToRgb } from "../../src/pipeline/yuv-to-rgb.ts";

type Rgb = readonly [number, number, number];

const COLOURS: Record<string, Rgb> = {
  red: [255, 0, 0],
  green: [0, 255, 0],
  blue: [0, 0, 255],
  skin: [224, 172, 140],
  grey: [90, 90, 90],
  white: [255, 255, 255],
  black: [0, 0, 0],
};

/** RGB to Y'CbCr as the ITU's recommendations write it: the inverse of what is tested, in floats. */
function toYuv([r, g, b]: Rgb, { matrix, fullRange }: ColourTags): Rgb {
  const [kr, kb] = { bt601: [0.299, 0.114], bt709: [0.2126, 0.0722], bt2020: [0.2627, 0.0593] }[matrix] as [
    number,
    number,
  ];
  const luma = kr * r + (1 - kr - kb) * g + kb * b;
  const cb = (b - luma) / (2 * (1 - kb));
  const cr = (r - luma) / (2 * (1 - kr));
  if (fullRange) return [Math.round(luma), Math.min(255, Math.round(cb + 128)), Math.min(255, Math.round(cr + 128))];
  return [Math.round((luma * 219) / 255 + 16), Math.round((cb * 224) / 255 + 128), Math.round((cr * 224) / 255 + 128)];
}

/** The left half of the picture in one colour, the right half in another. */
function halves(width: number, height: number, colour: ColourTags, left: Rgb, right: Rgb): YuvImage {
  const data = new Uint8Array(new SharedArrayBuffer(pictureBytes("yuv420p", width, height)));
  const sides = [toYuv(left, colour), toYuv(right, colour)] as const;
  let at = 0;
  for (const channel of [0, 1, 2] as const) {
    const [w, h] = channel === 0 ? [width, height] : [Math.ceil(width / 2), Math.ceil(height / 2)];
    for (let row = 0; row < h; row++) {
      for (let column = 0; column < w; column++) data[at++] = sides[column < w / 2 ? 0 : 1][channel];
    }
  }
  return { format: "yuv420p", width, height, data, colour };
}

async function pixel(jpeg: Uint8Array, x: number, y: number): Promise<number[]> {
  const { data, info } = await sharp(jpeg).raw().toBuffer({ resolveWithObject: true });
  const at = (Math.floor(y * info.height) * info.width + Math.floor(x * info.width)) * info.channels;
  return [...data.subarray(at, at + 3)];
}

function expectNear(actual: readonly number[], wanted: readonly number[], levels: number): void {
  const off = wanted.map((value, i) => Math.abs(value - actual[i]!));
  expect(Math.max(...off), `${actual.join(",")} instead of ${wanted.join(",")}`).toBeLessThanOrEqual(levels);
}

const BT601: ColourTags = { matrix: "bt601", fullRange: false };
const encoder = new JpegEncoder();
afterAll(() => encoder.close());

describe("colour", () => {
  const tags: ColourTags[] = [
    BT601,
    { matrix: "bt709", fullRange: false },
    { matrix: "bt601", fullRange: true },
    { matrix: "bt709", fullRange: true },
    { matrix: "bt2020", fullRange: false },
  ];
  test.each(tags)("every colour comes back from $matrix, full range $fullRange", async (colour) => {
    for (const rgb of Object.values(COLOURS)) {
      const picture = halves(64, 48, colour, rgb, rgb);
      // The conversion alone is off by rounding only; the JPEG adds its own.
      expectNear([...yuvToRgb(picture).data.subarray(0, 3)], rgb, 2);
      const jpeg = await encoder.encode(picture);
      expectNear(await pixel(jpeg.data, 0.5, 0.5), rgb, 5);
      expect(jpeg).toMatchObject({ width: 64, height: 48 });
    }
  });

  test("taking one matrix for another would show", () => {
    const picture = halves(16, 16, { matrix: "bt709", fullRange: false }, COLOURS["green"]!, COLOURS["green"]!);
    const wrong = yuvToRgb({ ...picture, colour: BT601 });
    expect(Math.abs(wrong.data[1]! - 255) + wrong.data[0]! + wrong.data[2]!).toBeGreaterThan(20);
  });
});

describe("size", () => {
  test.each([
    // width, height, at most, becomes
    [1, 1, undefined, 1, 1],
    [1, 1, 640, 1, 1],
    [333, 251, undefined, 333, 251],
    [333, 251, 100, 100, 75],
    [1279, 719, 640, 640, 360],
    [1920, 1080, 300, 300, 169],
    [640, 480, 1920, 640, 480],
    [2000, 1, 64, 64, 1],
  ])(
    "%i x %i, at most %s wide, becomes %i x %i, and left stays left",
    async (width, height, most, toWidth, toHeight) => {
      const picture = halves(width, height, BT601, COLOURS["red"]!, COLOURS["blue"]!);
      const jpeg = await encoder.encode(picture, { width: most });
      const { format, ...size } = await sharp(jpeg.data).metadata();
      expect([format, size.width, size.height]).toEqual(["jpeg", toWidth, toHeight]);
      expect(jpeg).toMatchObject({ width: toWidth, height: toHeight });
      expectNear(await pixel(jpeg.data, 0.1, 0.5), COLOURS["red"]!, 6);
      if (width > 1) expectNear(await pixel(jpeg.data, 0.95, 0.5), COLOURS["blue"]!, 6);
    },
  );

  test("shrinking keeps an edge where it is, to a pixel", () => {
    const { data, width } = yuvToRgb(halves(1000, 40, BT601, COLOURS["white"]!, COLOURS["black"]!), 300);
    expect(width).toBe(333);
    const row = Array.from({ length: width }, (_, i) => data[i * 3]!);
    expect(Math.abs(row.findIndex((value) => value < 128) - width / 2)).toBeLessThanOrEqual(1);
  });

  test("interleaved RGB is encoded as well, and quality has its effect", async () => {
    const data = Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * 7919) % 251);
    const picture = { format: "rgb24", width: 64, height: 64, data } as const;
    const [coarse, fine] = await Promise.all([
      encoder.encode(picture, { quality: 20 }),
      encoder.encode(picture, { quality: 95 }),
    ]);
    expect(coarse.data.length).toBeLessThan(fine.data.length / 2);
  });
});

describe("life", () => {
  const picture = halves(32, 32, BT601, COLOURS["red"]!, COLOURS["red"]!);

  test("a picture that cannot be encoded fails alone", async () => {
    const bad = { format: "rgb24", width: 8, height: 8, data: new Uint8Array(3) } as const;
    const [failed, fine] = await Promise.allSettled([encoder.encode(bad), encoder.encode(picture)]);
    expect(failed).toMatchObject({ reason: { code: "JPEG_FAILED" } });
    expect(fine.status).toBe("fulfilled");
  });

  test("a thread that dies fails what was pending, and the next picture starts another", async () => {
    const mortal = new JpegEncoder();
    try {
      await mortal.encode(picture);
      const lost = mortal.encode(picture);
      await mortal.worker!.terminate();
      await expect(lost).rejects.toMatchObject({ code: "JPEG_WORKER_DIED" });
      await expect(mortal.encode(picture)).resolves.toMatchObject({ width: 32 });
    } finally {
      await mortal.close();
    }
  });

  test("close is idempotent, fails what is pending, and later pictures", async () => {
    const closing = new JpegEncoder();
    const pending = closing.encode(picture);
    const [ended] = await Promise.allSettled([pending, closing.close(), closing.close()]);
    expect(ended).toMatchObject({ status: "rejected", reason: { code: "JPEG_CLOSED" } });
    await expect(closing.encode(picture)).rejects.toMatchObject({ code: "JPEG_CLOSED" });
  });
});
