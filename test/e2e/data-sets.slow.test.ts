// Data sets through the real commands: images in sub-folders of macOS's archives, VOC in GBK, several outputs between commas.
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeFolder } from "../support/ffmpeg.ts";
import { runMultibox } from "../support/multibox.ts";
import { vocXml } from "../training/support/data-folders.ts";

let folder: Awaited<ReturnType<typeof makeFolder>>;
const at = (...names: string[]): string => join(folder.path, ...names);

const grey = (): Promise<Buffer> =>
  sharp({ create: { width: 64, height: 48, channels: 3, background: "#808080" } })
    .jpeg()
    .toBuffer();

beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => folder.remove());

describe("multibox detect FOLDER", () => {
  it("keeps sub-folders in the formats that know paths, leaves hidden files out, and reads JPEGs with harmless warnings", async () => {
    for (const name of ["north/1.jpg", "south/1.jpg"]) {
      await mkdir(at("photos", name, ".."), { recursive: true });
      await writeFile(at("photos", name), await grey());
    }
    await writeFile(at("photos/north/._1.jpg"), "\0");
    const jpeg = await grey();
    // SOS parameters of 0, 0, 0, as Samsung's phones write them.
    const scan = jpeg.indexOf(Buffer.from([0xff, 0xda]));
    jpeg.set([0, 0, 0], scan + 5 + 2 * jpeg[scan + 4]!);
    await writeFile(at("photos/samsung.jpg"), jpeg);
    const out = `coco=${at("c.json")},cvat=${at("c.xml")},label-studio=${at("ls.json")}`;
    const { code, stderr } = await runMultibox(["detect", at("photos"), "--out", out]);
    expect([code, stderr]).toEqual([0, expect.stringContaining("3 images -> ") as string]);
    const names = ["north/1.jpg", "samsung.jpg", "south/1.jpg"];
    const coco = JSON.parse(await readFile(at("c.json"), "utf8")) as { images: { file_name: string }[] };
    expect(coco.images.map(({ file_name }) => file_name)).toEqual(names);
    const cvat = await readFile(at("c.xml"), "utf8");
    expect([...cvat.matchAll(/<image id="\d" name="([^"]*)"/g)].map(([, name]) => name)).toEqual(names);
    const tasks = JSON.parse(await readFile(at("ls.json"), "utf8")) as { data: { image: string } }[];
    expect(tasks.map(({ data }) => data.image)).toEqual(names);
  });

  it("refuses an unknown name between commas with a sentence, and writes nothing", async () => {
    const { code, stderr } = await runMultibox(["detect", at("photos"), "--out", "jsonl=a,srtt=b"], {}, folder.path);
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/OUT_UNKNOWN: .*srtt=b.*A comma separates outputs/s) as string,
    ]);
    expect(await readdir(folder.path)).not.toContain("a,srtt=b");
  });
});

describe("multibox captures import", () => {
  it("takes a VOC folder in GBK from a Mac's archive, and its classes come out again", async () => {
    await mkdir(at("voc/Annotations"), { recursive: true });
    await mkdir(at("voc/JPEGImages"));
    // 人, 车, 狗 in GBK.
    for (const [i, codes] of [
      [0xc8, 0xcb],
      [0xb3, 0xb5],
      [0xb9, 0xb7],
    ].entries()) {
      const [before, after] = vocXml({ size: [64, 48], red: [8, 10, 20, 16] }).split("red") as [string, string];
      const head = '<?xml version="1.0" encoding="GBK"?>';
      const xml = Buffer.concat([Buffer.from(head + before), Buffer.from(codes), Buffer.from(after)]);
      await writeFile(at(`voc/Annotations/p ${i}.xml`), xml);
      await writeFile(at(`voc/JPEGImages/p ${i}.jpg`), await grey());
      await writeFile(at(`voc/Annotations/._p ${i}.xml`), "\0\u0005\u0016\u0007");
    }
    const data = ["--data-dir", at("data")];
    const imported = await runMultibox(["captures", "import", at("voc"), "--json", ...data]);
    expect([imported.code, imported.stderr]).toEqual([0, ""]);
    expect(JSON.parse(imported.stdout)).toMatchObject({ pictures: 3, added: 3, corrected: 0 });
    const exported = await runMultibox(["captures", "export", "--format", "yolo", "--out", at("yolo"), ...data]);
    expect(exported.code).toBe(0);
    expect(await readFile(at("yolo/data.yaml"), "utf8")).toContain('names:\n  0: "人"\n  1: "狗"\n  2: "车"\n');
  });
});
