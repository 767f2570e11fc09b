// Pictures as detectors are trained on them: the stored pixels, upright, whatever colours a profile makes of them.
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { decodePicture } from "../../src/model/decode-picture.ts";
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
