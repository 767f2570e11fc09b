// CVAT's XML, held against what CVAT publishes of it.
import { XMLParser, XMLValidator } from "fast-xml-parser";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { cvatFormat } from "../../../src/annotate/writers/cvat.ts";
import { makeFolder } from "../../support/ffmpeg.ts";
import { convert, ODD_LABELS, oddHeader, oddLine } from "../support/convert.ts";
import { exampleHeader, exampleLine } from "../support/example.ts";

let folder: Awaited<ReturnType<typeof makeFolder>>;
beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => folder.remove());

const Coordinate = z.string().regex(/^\d+\.\d\d$/);
const Box = z.strictObject({
  label: z.string(),
  source: z.enum(["manual", "auto", "semi-auto", "file"]),
  occluded: z.enum(["0", "1"]),
  xtl: Coordinate,
  ytl: Coordinate,
  xbr: Coordinate,
  ybr: Coordinate,
  z_order: z.string(),
});
/** "XML annotation format", version 1.1, for images: https://docs.cvat.ai/docs/manual/advanced/xml_format/ */
const CvatFile = z.strictObject({
  version: z.literal("1.1"),
  meta: z.object({
    task: z.object({
      name: z.string(),
      mode: z.literal("annotation"),
      labels: z.strictObject({ label: z.array(z.strictObject({ name: z.string(), attributes: z.string() })) }),
    }),
  }),
  image: z
    .array(
      z.strictObject({
        id: z.string().regex(/^\d+$/),
        name: z.string(),
        width: z.string(),
        height: z.string(),
        box: z.array(Box).default([]),
      }),
    )
    .default([]),
});

function read(text: string): z.infer<typeof CvatFile> {
  expect(XMLValidator.validate(text)).toBe(true);
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: "",
    parseTagValue: false,
    htmlEntities: true,
    isArray: (name, _path, _leaf, attribute) => !attribute && ["image", "box", "label"].includes(name),
  });
  return CvatFile.parse((parser.parse(text) as { annotations: unknown }).annotations);
}

describe("CVAT's XML", () => {
  it("has an image for each frame that was looked at, by its number, and boxes by their corners", async () => {
    const lines = [exampleLine(0), { index: 1, pts: 0.04, detections: [] }, exampleLine(4)];
    const { image, meta } = read((await convert(cvatFormat, folder.path, exampleHeader(), lines)).text);
    expect(meta.task.labels.label.map(({ name }) => name)).toEqual(["person", "dog"]);
    expect(image.map(({ id, name, width, height }) => [id, name, width, height])).toEqual([
      ["0", "clip_000000.jpg", "640", "480"],
      ["1", "clip_000001.jpg", "640", "480"],
      ["4", "clip_000004.jpg", "640", "480"],
    ]);
    expect(image[1]!.box).toEqual([]);
    expect(image[2]!.box[1]).toMatchObject({ label: "dog", xtl: "200.00", ytl: "120.25", xbr: "260.00" });
    expect(image[2]!.box[1]!.ybr).toBe("170.25");
  });

  it("keeps odd labels and names, and is whole without frames", async () => {
    const odd = read((await convert(cvatFormat, folder.path, oddHeader(), [oddLine()])).text);
    expect(odd.image[0]!.box.map(({ label }) => label)).toEqual(ODD_LABELS);
    expect(odd.image[0]!.name).toBe("straße & <co> 50%.final_000003.jpg");
    expect(read((await convert(cvatFormat, folder.path, exampleHeader(), [])).text).image).toEqual([]);
  });
});
