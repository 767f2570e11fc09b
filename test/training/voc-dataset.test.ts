// Data sets in PASCAL VOC's format: lists, boxes that count from 1 and include their last pixel, difficult objects, mistakes.
import { copyFile, cp, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openDataset } from "../../src/training/dataset.ts";
import { makeFolder } from "../support/ffmpeg.ts";
import { testData } from "../support/model.ts";
import { RED_PICTURES, vocXml, writeVoc } from "./support/data-folders.ts";

let folder: Awaited<ReturnType<typeof makeFolder>>;
beforeEach(async () => {
  folder = await makeFolder();
  await writeVoc(folder.path);
});
afterEach(() => folder.remove());

const at = (...path: string[]): string => join(folder.path, ...path);
const open = (split?: string): ReturnType<typeof openDataset> => openDataset({ folder: folder.path, split });

async function writeList(name: string, text: string): Promise<void> {
  await mkdir(at("ImageSets/Main"), { recursive: true });
  await writeFile(at("ImageSets/Main", name), text);
}

describe("a data set in PASCAL VOC's format", () => {
  it("is known by its folders, and has boxes of the house", async () => {
    const { format, source, categories, pictures, warnings } = await open();
    expect({ format, source, categories, warnings }).toEqual({
      format: "voc",
      source: at("Annotations"),
      categories: [{ id: 1, name: "red" }],
      warnings: [],
    });
    expect(pictures.map(({ id, file, width, height }) => ({ id, file, size: [width, height] }))).toEqual(
      RED_PICTURES.map(({ size }, i) => ({ id: i + 1, file: at("JPEGImages", `p${i + 1}.png`), size })),
    );
    expect(pictures.flatMap(({ objects }) => objects.map(({ bbox }) => bbox))).toEqual(
      RED_PICTURES.map(({ red }) => red),
    );
  });

  it("knows difficult objects, and pictures without any", async () => {
    await writeFile(at("Annotations/p1.xml"), vocXml(RED_PICTURES[0]!, "<difficult>1</difficult>"));
    await writeFile(at("Annotations/p2.xml"), vocXml(RED_PICTURES[1]!).replace(/<object>.*<\/object>/s, ""));
    const { pictures } = await open();
    expect(pictures.map(({ objects }) => objects.map(({ difficult }) => difficult))).toEqual([[true], [], [false]]);
  });

  it("takes the pictures of a list: test, or val, or the one that is asked for, which may have a second column", async () => {
    await writeList("val.txt", "p2\n");
    await writeList("red_train.txt", "p3  1\np1 -1\n");
    const names = async (split?: string): Promise<string[]> =>
      (await open(split)).pictures.map(({ file }) => file.slice(-6, -4));
    expect(await names()).toEqual(["p2"]);
    expect(await names("red_train")).toEqual(["p3", "p1"]);
    await writeList("test.txt", "p1\np3\n");
    expect(await names()).toEqual(["p1", "p3"]);
  });

  it("is read by the encoding that each file declares or marks, references decoded", async () => {
    const xml = (name: string, encoding?: string): string =>
      (encoding === undefined ? "" : `<?xml version="1.0" encoding="${encoding}"?>\n`) +
      vocXml(RED_PICTURES[0]!).replace("<name>red</name>", `<name>${name}</name>`);
    // 人 in GBK, 人 in Big5, 車 in Shift_JIS, é in the two Latin ones.
    const bytes = (text: string, ...codes: number[]): Buffer => {
      const [before, after] = text.split("@") as [string, string];
      return Buffer.concat([Buffer.from(before), Buffer.from(codes), Buffer.from(after)]);
    };
    const cases: [Buffer | string, string][] = [
      [bytes(xml("@", "GBK"), 0xc8, 0xcb), "人"],
      [bytes(xml("@", "cp936"), 0xc8, 0xcb), "人"],
      [bytes(xml("@", "big5"), 0xa4, 0x48), "人"],
      [bytes(xml("@", "Shift_JIS"), 0x8e, 0xd4), "車"],
      [bytes(xml("@", "ISO-8859-1"), 0xe9), "é"],
      [bytes(xml("@", "windows-1252"), 0x80), "€"],
      [Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(xml("猫", "UTF-16"), "utf16le")]), "猫"],
      [Buffer.concat([Buffer.from([0xfe, 0xff]), Buffer.from(xml("猫"), "utf16le").swap16()]), "猫"],
      [Buffer.from(xml("猫", "UTF-16LE"), "utf16le"), "猫"],
      [xml("猫", "utf-16"), "猫"],
      [`\ufeff${xml("猫", "utf-8")}`, "猫"],
      [xml("&#33258;&#x8eca; &amp;&lt;&gt;&quot;&apos; &amp;#65; Fu&#223;"), "自車 &<>\"' &#65; Fuß"],
      [xml("<![CDATA[a &amp; b]]>"), "a &amp; b"],
      [xml("\n    dog\n  "), "dog"],
      [xml("&#32;dog&#9;"), "dog"],
    ];
    for (const [text, name] of cases) {
      await writeFile(at("Annotations/p1.xml"), text);
      expect((await open()).categories.map((one) => one.name)).toContain(name);
    }
  });

  it("may have blanks, CRLF, a mark of UTF-16 and a column in its lists", async () => {
    for (const [i, name] of ["p 1", "p -1", "p  x"].entries()) {
      await rename(at(`Annotations/p${i + 1}.xml`), at(`Annotations/${name}.xml`));
      await rename(at(`JPEGImages/p${i + 1}.png`), at(`JPEGImages/${name}.png`));
    }
    const names = async (text: string | Buffer): Promise<string[]> => {
      await mkdir(at("ImageSets/Main"), { recursive: true });
      await writeFile(at("ImageSets/Main/some.txt"), text);
      return (await open("some")).pictures.map(({ file }) => file.slice(at("JPEGImages").length + 1, -4));
    };
    expect(await names("p 1\r\np -1\r\np  x\r\n")).toEqual(["p 1", "p -1", "p  x"]);
    expect(await names("p 1  1\np -1 -1\np  x  0\n")).toEqual(["p 1", "p -1", "p  x"]);
    expect(await names("p 1.png\np  x.jpg -1\n")).toEqual(["p 1", "p  x"]);
    expect(await names(Buffer.from("\ufeffp 1\r\np  x\r\n", "utf16le"))).toEqual(["p 1", "p  x"]);
    await copyFile(at("Annotations/p 1.xml"), at("Annotations/p.xml"));
    await copyFile(at("JPEGImages/p 1.png"), at("JPEGImages/p.png"));
    expect(await names("p 1\np  x\n")).toEqual(["p 1", "p  x"]);
    await expect(names("p 1\n")).rejects.toThrow('"p 1" is a name, and "p" is another with a column behind it');
  });

  it("leaves out what macOS keeps beside its files", async () => {
    for (const name of ["Annotations/._p1.xml", "JPEGImages/._p1.png", "Annotations/.DS_Store"])
      await writeFile(at(name), "\0\u0005\u0016\u0007");
    expect((await open()).pictures).toHaveLength(3);
  });

  it("takes the image that filename names where two differ in their ending alone, and asks where it names neither", async () => {
    const named = (filename: string): string => vocXml(RED_PICTURES[0]!).replace("unused.jpg", filename);
    await writeFile(at("JPEGImages/p1.jpg"), "");
    for (const filename of ["p1.png", "C:\\data\\p1.png", "P1.PNG"]) {
      await writeFile(at("Annotations/p1.xml"), named(filename));
      expect((await open()).pictures[0]!.file).toBe(at("JPEGImages/p1.png"));
    }
    await writeFile(at("Annotations/p1.xml"), named("other.png"));
    await expect(open()).rejects.toThrow(
      /p1\.xml: p1\.(jpg and p1\.png|png and p1\.jpg) are there, and filename names "other.png"/,
    );
    await rm(at("JPEGImages/p1.jpg"));
    await rename(at("JPEGImages/p1.png"), at("JPEGImages/other.png"));
    expect((await open()).pictures[0]!.file).toBe(at("JPEGImages/other.png"));
  });

  it.each([
    ["1", true],
    ["1 ", true],
    ["True", true],
    ["0", false],
    ["false", false],
    ["", false],
  ])("reads difficult %j", async (text, difficult) => {
    await writeFile(at("Annotations/p1.xml"), vocXml(RED_PICTURES[0]!, `<difficult>${text}</difficult>`));
    expect((await open()).pictures[0]!.objects[0]!.difficult).toBe(difficult);
  });

  it("may have numbers with a point and blanks, and its fields in any order", async () => {
    const moved = vocXml(RED_PICTURES[0]!)
      .replace(/<xmin>(\d+)<\/xmin><ymin>(\d+)<\/ymin>/, "<ymin> $2.0 </ymin>\n<xmin>$1.5</xmin>")
      .replace(/(<name>red<\/name>)(<bndbox>.*<\/bndbox>)/, "$2$1");
    await writeFile(at("Annotations/p1.xml"), moved);
    const [x, y, w, h] = RED_PICTURES[0]!.red;
    expect((await open()).pictures[0]!.objects[0]!.bbox).toEqual([x + 0.5, y, w - 0.5, h]);
  });

  const real = testData("voc2012");

  it.skipIf(testData("faults/inputs/voc-encoding") === undefined)(
    "has the classes of files in GBK and of files that ElementTree wrote (needs the test data)",
    async () => {
      await rm(at("JPEGImages"), { recursive: true });
      await mkdir(at("JPEGImages"));
      for (const name of ["000000000724", "000000000776", "000000000872", "000000001296"])
        await writeFile(at(`JPEGImages/${name}.jpg`), "");
      const classesOf = async (set: string): Promise<string[]> => {
        await rm(at("Annotations"), { recursive: true });
        await cp(testData(`faults/inputs/${set}/Annotations`)!, at("Annotations"), { recursive: true });
        return (await open()).categories.map(({ name }) => name);
      };
      expect(await classesOf("voc-encoding/gbk2")).toEqual(expect.arrayContaining(["人", "车", "狗"]) as string[]);
      expect(await classesOf("voc-encoding/etwrite")).toEqual(
        expect.arrayContaining(["自動車", "Fußgänger"]) as string[],
      );
      await writeFile(at("Annotations/._000000000724.xml"), "\0");
      expect(await classesOf("macos-hidden")).not.toEqual([]);
    },
  );

  it.skipIf(real === undefined)("reads VOC's own (needs the test data)", async () => {
    const { pictures, categories, warnings } = await openDataset({ folder: real! });
    expect([pictures.length, categories.length, warnings]).toEqual([100, 20, []]);
    expect(categories[0]).toEqual({ id: 1, name: "aeroplane" });
    expect(pictures.flatMap(({ objects }) => objects)).toHaveLength(273);
    const plane = pictures.find(({ file }) => file.endsWith("2007_000033.jpg"))!;
    expect(plane.objects[0]!.bbox).toEqual([8, 106, 491, 157]);
  });
});

describe("what is wrong with a data set in PASCAL VOC's format", () => {
  it.each([
    ["ends in the middle", (xml: string) => xml.slice(0, xml.length / 2), "it is not whole XML (line"],
    [
      "has a word for a number",
      (xml: string) => xml.replace(/<xmin>\d+/, "<xmin>left"),
      "annotation.object.0.bndbox.xmin",
    ],
    ["has no size", (xml: string) => xml.replace(/<size>.*<\/size>/s, ""), "annotation.size"],
    ["is something else", () => "<svg></svg>", "annotation"],
    [
      "has an encoding that nobody knows",
      (xml: string) => `<?xml version="1.0" encoding="EBCDIC-X"?>${xml}`,
      'its encoding "EBCDIC-X" is unknown',
    ],
    [
      "is not in the encoding that it declares",
      (xml: string) => Buffer.from(xml.replace("red", "r\u00e9d"), "latin1"),
      "it has bytes that are not UTF-8",
    ],
    [
      "has an entity that XML does not know",
      (xml: string) => xml.replace("red", "r&eacute;d"),
      "object 1: the entity &eacute; in its name is unknown",
    ],
    [
      "is neither difficult nor easy",
      (xml: string) => xml.replace("<bndbox>", "<difficult>maybe</difficult><bndbox>"),
      'annotation.object.0.difficult: "maybe" is neither 0 nor 1',
    ],
    [
      "has a number in hexadecimal digits",
      (xml: string) => xml.replace(/<xmin>\d+/, "<xmin>0x10"),
      'annotation.object.0.bndbox.xmin: "0x10" is not a number',
    ],
    [
      "has two boxes for an object",
      (xml: string) => xml.replace(/<bndbox>.*<\/bndbox>/, "$&$&"),
      "annotation.object.0.bndbox",
    ],
    [
      "has no name for an object",
      (xml: string) => xml.replace("<name>red</name>", ""),
      "annotation.object.0.name: it is missing",
    ],
  ])("is said of an annotation that %s", async (_, spoil, words) => {
    await writeFile(at("Annotations/p2.xml"), spoil(vocXml(RED_PICTURES[1]!)));
    const failure = open();
    await expect(failure).rejects.toMatchObject({ code: "DATASET_INVALID" });
    await expect(failure).rejects.toThrow(at("Annotations/p2.xml"));
    await expect(failure).rejects.toThrow(words);
  });

  it("is said of a box whose right side is left of its left", async () => {
    await writeFile(at("Annotations/p2.xml"), vocXml({ ...RED_PICTURES[1]!, red: [9, 9, -4, 5] }));
    await expect(open()).rejects.toThrow("p2.xml, object 1: the box [9, 9, -4, 5] has a negative side");
  });

  it("is said of what is not there: a picture, an annotation, a list, all annotations", async () => {
    await writeList("short.txt", "p1\np9\n");
    await writeList("twice.txt", "p1\np1\n");
    await writeList("empty.txt", "\n");
    await expect(open("short")).rejects.toMatchObject({
      code: "PICTURE_MISSING",
      message: `1 of 2 images is not there; the first is ${at("JPEGImages/p9.jpg")}.`,
    });
    await expect(open("twice")).rejects.toThrow("p1 stands in it twice");
    await expect(open("empty")).rejects.toThrow("no picture stands in it");
    await expect(open("trainval")).rejects.toMatchObject({ code: "DATASET_NOT_FOUND" });
    await rm(at("Annotations/p1.xml"));
    await writeList("test.txt", "p1\n");
    await expect(open()).rejects.toThrow(`${at("Annotations/p1.xml")}: it is listed and cannot be read`);
    await rm(at("ImageSets"), { recursive: true });
    await rm(at("Annotations"), { recursive: true });
    await expect(openDataset({ folder: folder.path, format: "voc" })).rejects.toMatchObject({
      code: "DATASET_NOT_FOUND",
    });
  });
});
