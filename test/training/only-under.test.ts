// Data sets that are held to a folder: nothing that they name, and no link in them, leads out of it.
import { mkdir, rename, symlink } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openDataset } from "../../src/training/dataset.ts";
import type { Dataset } from "../../src/training/truth.ts";
import { makeFolder } from "../support/ffmpeg.ts";
import { type CocoJson, redCoco, writeCoco, writeVoc } from "./support/data-folders.ts";

let folder: Awaited<ReturnType<typeof makeFolder>>;
/** `set` is held to itself; `outside` lies beside it. */
const at = (...path: string[]): string => join(folder.path, ...path);
beforeEach(async () => {
  folder = await makeFolder();
  await mkdir(at("outside"));
});
afterEach(() => folder.remove());

const open = (onlyUnder?: readonly string[]): Promise<Dataset> => openDataset({ folder: at("set"), onlyUnder });

function cocoWith(fileName: string): CocoJson {
  const json = redCoco();
  json.images[1]!.file_name = fileName;
  return json;
}

/** The file is outside, and a link in its place. */
async function moveOut(path: string): Promise<void> {
  await rename(at("set", path), at("outside", "moved"));
  await symlink(at("outside", "moved"), at("set", path));
}

test.each<[string, () => Promise<unknown>]>([
  [
    "a picture by ../",
    async () => {
      await writeCoco(at("set"), cocoWith("../../outside/2.png"));
      await rename(at("set/images/2.png"), at("outside/2.png"));
    },
  ],
  ["a picture by a link", () => writeCoco(at("set"), redCoco()).then(() => moveOut("images/2.png"))],
  ["all pictures by a link", () => writeCoco(at("set"), redCoco()).then(() => moveOut("images"))],
  ["COCO's JSON by a link", () => writeCoco(at("set"), redCoco()).then(() => moveOut("instances.json"))],
  ["a picture of VOC by a link", () => writeVoc(at("set")).then(() => moveOut("JPEGImages/p2.png"))],
  ["VOC's annotations by a link", () => writeVoc(at("set")).then(() => moveOut("Annotations"))],
])("%s is read where everything may be, and refused where the data set is held to its folder", async (_, make) => {
  await make();
  expect((await open()).pictures).toHaveLength(3);
  expect((await open([at("outside"), at("set")])).pictures).toHaveLength(3);
  const message = expect.stringContaining(at("")) as string;
  await expect(open([at("set")])).rejects.toMatchObject({ code: "FILE_NOT_ALLOWED", message });
});

test("an absolute name is one in the folder of pictures, and what leads nowhere tells nothing of other folders", async () => {
  await writeCoco(at("set"), cocoWith("/etc/passwd"));
  await expect(open([at("set")])).rejects.toMatchObject({ code: "PICTURE_MISSING" });
  await writeCoco(at("set"), cocoWith("../../outside/none.png"));
  await expect(open([at("set")])).rejects.toMatchObject({ code: "FILE_NOT_ALLOWED" });
});

test("links within the folder, and a folder that is a link itself, are followed", async () => {
  await writeCoco(at("set"), redCoco());
  await rename(at("set/images/1.png"), at("set/1.png"));
  await symlink("../1.png", at("set/images/1.png"));
  await symlink(at("set"), at("outside/set"));
  const { pictures } = await openDataset({ folder: at("outside/set"), onlyUnder: [at("outside/set")] });
  expect(pictures).toHaveLength(3);
});
