// Which images a call means, and what they are called in the files that are written about them.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findPictures, findVideos } from "../../src/annotate/find-inputs.ts";
import { makeFolder } from "../support/ffmpeg.ts";

let folder: Awaited<ReturnType<typeof makeFolder>>;
beforeEach(async () => {
  folder = await makeFolder();
  for (const name of [
    "a/1.jpg",
    "a/b/1.jpg",
    "a/b/2.png",
    "c/1.jpg",
    "a/._1.jpg",
    "a/.hidden/3.jpg",
    "__MACOSX/a/1.jpg",
  ]) {
    await mkdir(join(folder.path, name, ".."), { recursive: true });
    await writeFile(join(folder.path, name), "");
  }
});
afterEach(() => folder.remove());

const at = (name: string): string => join(folder.path, name);
const namesOf = async (...names: string[]): Promise<string[]> =>
  (await findPictures(names.map(at), () => false)).map(({ name }) => name);

describe("images", () => {
  it("of a folder are called by their paths in it, and hidden ones are left out", async () => {
    expect(await namesOf("a")).toEqual(["1.jpg", "b/1.jpg", "b/2.png"]);
    expect(await namesOf(".")).toEqual(["a/1.jpg", "a/b/1.jpg", "a/b/2.png", "c/1.jpg"]);
  });

  it("that would share a name are called by their paths from the folder that they have in common", async () => {
    expect(await namesOf("a", "c")).toEqual(["a/1.jpg", "a/b/1.jpg", "a/b/2.png", "c/1.jpg"]);
    expect(await namesOf("a/1.jpg", "c/1.jpg")).toEqual(["a/1.jpg", "c/1.jpg"]);
    expect(await namesOf("a/1.jpg", "a/b/2.png")).toEqual(["1.jpg", "2.png"]);
  });

  it("that are hidden are taken where they are named themselves", async () => {
    expect(await namesOf("a/._1.jpg")).toEqual(["._1.jpg"]);
  });
});

describe("videos", () => {
  it("of a folder are found without the hidden files beside them", async () => {
    for (const name of ["a/x.mp4", "a/._x.mp4"]) await writeFile(at(name), "");
    expect((await findVideos([at("a")], () => false)).map(({ path }) => path)).toEqual([at("a/x.mp4")]);
  });
});
