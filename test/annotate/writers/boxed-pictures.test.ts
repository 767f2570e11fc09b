// Pictures with their boxes: the outline lies where the box is, the rest stays as it was.
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { labelColours } from "../../../src/annotate/drawing/label-colours.ts";
import { svgOverlay } from "../../../src/annotate/drawing/svg.ts";
import { boxedPicturesFormat } from "../../../src/annotate/writers/boxed-pictures.ts";
import { makeFolder } from "../../support/ffmpeg.ts";
import { convert, ODD_LABELS, picturesOf } from "../support/convert.ts";

let folder: Awaited<ReturnType<typeof makeFolder>>;
beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => folder.remove());

const grey = (width: number, height: number): ReturnType<typeof sharp> =>
  sharp({ create: { width, height, channels: 3, background: "#808080" } });

const hex = (rgb: readonly number[]): string => `#${rgb.map((value) => value.toString(16).padStart(2, "0")).join("")}`;

describe("boxed pictures", () => {
  it("have a line around each box and a tag, in the label's colour, and keep name, format and size", async () => {
    const files = [join(folder.path, "straße 1.png"), join(folder.path, "b.jpg")];
    await grey(100, 80).png().toFile(files[0]!);
    await grey(101, 80).jpeg().toFile(files[1]!);
    const { header, lines } = picturesOf(...files);
    const { target } = await convert(boxedPicturesFormat, folder.path, header, lines);
    expect((await readdir(target)).toSorted()).toEqual(["b.jpg", "straße 1.png"]);
    expect(await sharp(join(target, "b.jpg")).metadata()).toMatchObject({ format: "jpeg", width: 101, height: 80 });
    const { data, info } = await sharp(join(target, "straße 1.png")).raw().toBuffer({ resolveWithObject: true });
    const at = (x: number, y: number): string =>
      hex([0, 1, 2].map((channel) => data[(y * info.width + x) * info.channels + channel]!));
    const { fill } = labelColours("dog");
    // The box is [10, 20, 30, 40], the line has two pixels, its tag stands on it.
    for (const [x, y] of [
      [9, 40],
      [10, 40],
      [40, 40],
      [39, 40],
      [25, 59],
    ] as const)
      expect(at(x, y)).toBe(fill);
    expect(at(11, 5)).toBe(fill);
    expect(at(25, 40)).toBe("#808080");
    expect(at(70, 70)).toBe("#808080");
  });

  it("are upright where the file says that it is turned, as their boxes are", async () => {
    const file = join(folder.path, "turned.jpg");
    await grey(80, 100).withMetadata({ orientation: 6 }).jpeg().toFile(file);
    const { header, lines } = picturesOf(file);
    const { target } = await convert(boxedPicturesFormat, await makeSubfolder("turned"), header, lines);
    const { data, info } = await sharp(join(target, "turned.jpg")).raw().toBuffer({ resolveWithObject: true });
    expect([info.width, info.height]).toEqual([100, 80]);
    const blue = data[(50 * 100 + 10) * 3 + 2]! - data[(50 * 100 + 10) * 3 + 1]!;
    expect(Math.abs(blue)).toBeGreaterThan(20);
  });

  it("say which picture cannot be drawn on", async () => {
    const { header, lines } = picturesOf(join(folder.path, "none.jpg"));
    const drawn = convert(boxedPicturesFormat, await makeSubfolder("none"), header, lines);
    await expect(drawn).rejects.toMatchObject({ code: "PICTURE_UNREADABLE" });
  });
});

describe("the SVG of boxes", () => {
  it("is drawn whatever the labels are", async () => {
    const detections = ODD_LABELS.map((label, i) => ({
      label,
      classId: 1,
      score: 0.5,
      bbox: [0, 20 * i, 9, 9] as const,
    }));
    const svg = Buffer.from(svgOverlay(detections, { width: 640, height: 480 }));
    expect(await sharp(svg).metadata()).toMatchObject({ width: 640, height: 480 });
  });
});

async function makeSubfolder(name: string): Promise<string> {
  const path = join(folder.path, name);
  await mkdir(path);
  return path;
}
