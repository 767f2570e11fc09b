// Pictures as detectors are trained on them: the stored pixels, upright, whatever colours a profile makes of them.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { decodePicture } from "../../src/model/decode-picture.ts";
import { testData } from "../support/model.ts";
import { drawPicture } from "./support/pictures.ts";

const { data, width, height } = drawPicture(48, 32, 7);
const drawing = sharp(data, { raw: { width, height, channels: 3 } });

/** A PNG without its chunks of this type. */
function without(type: string, png: Buffer): Buffer {
  const kept = [png.subarray(0, 8)];
  for (let at = 8; at < png.length;) {
    const end = at + 12 + png.readUInt32BE(at);
    if (png.toString("latin1", at + 4, at + 8) !== type) kept.push(png.subarray(at, end));
    at = end;
  }
  return Buffer.concat(kept);
}

describe("decodePicture", () => {
  it("gives the stored pixels of a picture with a colour profile, as OpenCV and TensorFlow do", async () => {
    const wide = await drawing.clone().withIccProfile("p3").png().toBuffer();
    const bare = without("iCCP", wide);
    expect(bare.length).toBeLessThan(wide.length);
    const [withProfile, stored] = [await decodePicture(wide), await decodePicture(bare)];
    expect(Buffer.from(withProfile.data).equals(Buffer.from(stored.data))).toBe(true);
    // It is no plain drawing: the profile's numbers are not sRGB's.
    expect(Buffer.from(stored.data).equals(Buffer.from(data))).toBe(false);
  });

  it("turns a picture upright and makes three channels of one or four", async () => {
    const turned = await decodePicture(await drawing.clone().withMetadata({ orientation: 6 }).png().toBuffer());
    expect([turned.width, turned.height]).toEqual([height, width]);
    const others = [drawing.clone().greyscale().png(), drawing.clone().ensureAlpha(0.5).png()];
    others.push(drawing.clone().toColourspace("cmyk").jpeg());
    for (const other of others) {
      const picture = await decodePicture(await other.toBuffer());
      expect([picture.width, picture.height, picture.data.length]).toEqual([width, height, width * height * 3]);
    }
  });
});

/** A baseline JPEG of the drawing, with bytes in it replaced or added as cameras and editors write them. */
async function oddJpeg(change: (jpeg: Buffer) => Buffer): Promise<{ whole: Buffer; odd: Buffer }> {
  const { data: pixels, ...size } = drawPicture(160, 120, 7);
  const bare = await sharp(pixels, { raw: { width: size.width, height: size.height, channels: 3 } })
    .jpeg({ quality: 90 })
    .toBuffer();
  const whole = insert(bare, 2, JFIF);
  return { whole, odd: change(Buffer.from(whole)) };
}

const at = (jpeg: Buffer, marker: number): number => jpeg.indexOf(Buffer.from([0xff, marker]));
const insert = (jpeg: Buffer, place: number, bytes: readonly number[]): Buffer =>
  Buffer.concat([jpeg.subarray(0, place), Buffer.from(bytes), jpeg.subarray(place)]);
const set = (jpeg: Buffer, place: number, bytes: readonly number[]): Buffer => {
  jpeg.set(bytes, place);
  return jpeg;
};
/** Behind the header of the scan: its length, the number of components, two bytes for each of them. */
const scanParameters = (jpeg: Buffer): number => at(jpeg, 0xda) + 5 + 2 * jpeg[at(jpeg, 0xda) + 4]!;
const JFIF = [0xff, 0xe0, 0, 16, 0x4a, 0x46, 0x49, 0x46, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0];

const HARMLESS: [string, (jpeg: Buffer) => Buffer][] = [
  ["SOS parameters of 0, 0, 0, as Samsung's phones write", (jpeg) => set(jpeg, scanParameters(jpeg), [0, 0, 0])],
  ["JFIF revision 2.01", (jpeg) => set(jpeg, at(jpeg, 0xe0) + 9, [2, 1])],
  ["two bytes before a table", (jpeg) => insert(jpeg, at(jpeg, 0xdb), [0, 0])],
  ["bytes behind its end", (jpeg) => insert(jpeg, jpeg.length, [1, 2, 3, 4])],
];

describe("a JPEG that its decoder warns about", () => {
  it.each(HARMLESS)("is read to the same pixels with %s", async (_, change) => {
    const { whole, odd } = await oddJpeg(change);
    expect(odd.equals(whole)).toBe(false);
    const [expected, got] = [await decodePicture(whole), await decodePicture(odd)];
    expect(Buffer.from(got.data).equals(Buffer.from(expected.data))).toBe(true);
  });

  it.each([["plain", (jpeg: Buffer): Buffer => jpeg] as (typeof HARMLESS)[number], ...HARMLESS.slice(0, 3)])(
    "is refused where half of it is gone (%s), and the reason is given once",
    async (_, change) => {
      const { odd } = await oddJpeg(change);
      const half = odd.subarray(0, odd.length / 2);
      await expect(decodePicture(half)).rejects.toMatchObject({
        code: "PICTURE_UNREADABLE",
        message: "The picture cannot be read: premature end of JPEG image.",
      });
    },
  );

  it("is refused where half of it is gone and the end marker is there, as relays leave it", async () => {
    const { whole } = await oddJpeg((jpeg) => jpeg);
    const closed = Buffer.concat([whole.subarray(0, whole.length - 200), Buffer.from([0xff, 0xd9])]);
    await expect(decodePicture(closed)).rejects.toMatchObject({ code: "PICTURE_UNREADABLE" });
  });
});

describe("an image with a very long side", () => {
  it.each([
    [70_000, 1],
    [1, 70_000],
  ])("is refused before it is decoded, because each row costs more than its pixels: %i x %i", async (w, h) => {
    const png = await sharp({ create: { width: w, height: h, channels: 3, background: "black" } })
      .png()
      .toBuffer();
    await expect(decodePicture(png)).rejects.toMatchObject({
      code: "PICTURE_TOO_LARGE",
      message: expect.stringContaining(`${w} x ${h}`) as unknown,
    });
  });
});

describe("a PNG that is cut", () => {
  it("is refused, and the reason is given once", async () => {
    const png = await drawing.clone().png().toBuffer();
    await expect(decodePicture(png.subarray(0, png.length / 2))).rejects.toMatchObject({
      code: "PICTURE_UNREADABLE",
      message: "The picture cannot be read: libpng read error.",
    });
  });
});

const jpegs = testData("faults/inputs/jpeg-warnings");

it.skipIf(jpegs === undefined)(
  "JPEGs of phones and cameras with warnings have the pixels of the plain one (needs the test data)",
  async () => {
    const read = async (file: string): Promise<Buffer> => Buffer.from((await decodePicture(await readFile(file))).data);
    const plain = await read(join(jpegs!, "../mjpeg-part-type/p/q.jpg"));
    for (const name of ["w_sos", "w_jfif2", "w_app0pad", "extra_dqt"])
      expect([name, (await read(join(jpegs!, `${name}.jpg`))).equals(plain)]).toEqual([name, true]);
  },
);
