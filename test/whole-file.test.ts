// Files are whole or not there, and what hinders is a sentence before the work or after it.
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { requireWritable, writeWhole } from "../src/whole-file.ts";
import { makeFolder } from "./support/ffmpeg.ts";

let folder: Awaited<ReturnType<typeof makeFolder>>;
beforeEach(async () => {
  folder = await makeFolder();
});
afterEach(() => folder.remove());

const at = (name: string): string => join(folder.path, name);

describe("writeWhole", () => {
  it("writes the chunks in order, over what was there", async () => {
    await writeFile(at("a.txt"), "something longer");
    await writeWhole(at("a.txt"), ["one, ", Buffer.from("two")]);
    expect(await readFile(at("a.txt"), "utf8")).toBe("one, two");
    expect(await readdir(folder.path)).toEqual(["a.txt"]);
  });

  it("leaves the old file and no draft when it fails in the middle", async () => {
    await writeFile(at("a.txt"), "old");
    const chunks = function* (): Generator<string, void> {
      yield "new";
      throw new Error("no more");
    };
    await expect(writeWhole(at("a.txt"), chunks())).rejects.toThrow("no more");
    expect([await readdir(folder.path), await readFile(at("a.txt"), "utf8")]).toEqual([["a.txt"], "old"]);
  });

  it("says that the file is a folder's, or its folder is none", async () => {
    await mkdir(at("a"));
    await writeFile(at("b"), "");
    await expect(writeWhole(at("a"), [])).rejects.toMatchObject({
      code: "NOT_WRITABLE",
      message: `${at("a")} is a folder.`,
    });
    await expect(writeWhole(at("no/a.txt"), [])).rejects.toThrow(`There is no folder ${at("no")}.`);
    await expect(requireWritable(at("no/a.txt"))).rejects.toMatchObject({ code: "NOT_WRITABLE" });
    await expect(writeWhole(at("b/a.txt"), [])).rejects.toThrow(`There is no folder ${at("b")}.`);
    expect(await readdir(folder.path)).toEqual(["a", "b"]);
  });
});
