// `multibox evaluate` as people run it: what it prints, the files that it writes, mistakes, and Ctrl-C.
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { mkdir, open, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { XMLValidator } from "fast-xml-parser";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeFolder } from "../support/ffmpeg.ts";
import { testData } from "../support/model.ts";
import { launch, runMultibox } from "../support/multibox.ts";
import { redCoco, writeCoco, writeVoc } from "../training/support/data-folders.ts";

let folder: Awaited<ReturnType<typeof makeFolder>>;
beforeEach(async () => {
  folder = await makeFolder();
});
afterEach(() => folder.remove());

const at = (...path: string[]): string => join(folder.path, ...path);
const evaluate = (...args: string[]): ReturnType<typeof runMultibox> =>
  runMultibox(["evaluate", "--data", folder.path, ...args]);

describe("multibox evaluate", () => {
  const voc = testData("voc2012");

  it.skipIf(voc === undefined)("prints figures, classes and speed for people (needs the test data)", async () => {
    const { code, stdout, stderr } = await runMultibox(["evaluate", "--data", voc!, "--limit", "10"]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(
      /^ssdlite-mobilenet-v2 on onnx:cpu.*\n10 images with \d+ objects of \d+ classes, .+Annotations\n/,
    );
    expect(stdout).toMatch(/^ {2}mAP2007 {3}[01]\.\d{3} {3}\w/m);
    expect(stdout).toMatch(/^ {2}aeroplane +\d+ +[01]\.\d{3} +[01]\.\d{3}$/m);
    expect(stdout).toMatch(/\n[\d.]+ ms a picture to detect, [\d.]+ ms to decode; 8 at once\.\n$/);
    expect(stdout).not.toContain("\u001B");
  });

  it("prints a line of JSON, and writes the detections and the curves whole", async () => {
    const json = redCoco();
    json.categories.push({ id: 1, name: "stop sign" });
    await writeCoco(at("data"), json);
    const files = ["--detections", at("found.json"), "--curves", at("curves.svg")];
    const options = ["--data", at("data"), "--json", "--min-score", "0", "--max-detections", "5"];
    const { code, stdout, stderr } = await runMultibox(["evaluate", ...options, ...files]);
    expect(code).toBe(0);
    expect(stderr).toBe("warning: The model does not know 1 of 2 classes, whose 3 objects count as missed: red.\n");
    const result = JSON.parse(stdout) as Record<string, unknown> & { detections: number };
    expect(stdout.trim().split("\n")).toHaveLength(1);
    expect(result).toMatchObject({
      model: { name: "ssdlite-mobilenet-v2" },
      data: { format: "coco", pictures: 3, objects: 3 },
      figures: { AP: 0, APlarge: -1 },
      classes: [
        { name: "stop sign", objects: 0 },
        { name: "red", objects: 3 },
      ],
      warnings: [stderr.slice("warning: ".length).trim()],
      failures: [],
    });
    const found = JSON.parse(await readFile(at("found.json"), "utf8")) as { image_id: number; category_id: number }[];
    expect(found).toHaveLength(result.detections);
    for (const one of found)
      expect(one).toMatchObject({
        category_id: 1,
        bbox: [expect.anything(), expect.anything(), expect.anything(), expect.anything()],
      });
    expect(XMLValidator.validate(await readFile(at("curves.svg"), "utf8"))).toBe(true);
    expect(readdirSync(folder.path).toSorted((a, b) => a.localeCompare(b))).toEqual([
      "curves.svg",
      "data",
      "found.json",
    ]);
  });

  it("goes on after a picture that cannot be read, names it, and fails in the end", async () => {
    await writeVoc(folder.path);
    await writeFile(at("JPEGImages/p2.png"), "no picture");
    const { code, stdout, stderr } = await evaluate("--json");
    expect(code).toBe(1);
    expect(stderr).toContain(`${at("JPEGImages/p2.png")}: PICTURE_UNREADABLE: `);
    expect(JSON.parse(stdout)).toMatchObject({ data: { format: "voc", pictures: 2 }, failures: [expect.any(String)] });
  });

  it("ends at Ctrl-C with 130 and leaves nothing behind", async () => {
    const json = redCoco();
    for (let id = 100; id < 1000; id++) json.images.push({ ...json.images[1]!, id });
    await writeCoco(at("data"), json);
    // The first picture comes through a pipe, so that the test knows when the run has begun, and the run waits for the signal.
    const picture = at("data/images/1.png");
    const bytes = await readFile(picture);
    await rm(picture);
    execFileSync("mkfifo", [picture]);
    const files = ["--detections", at("found.json"), "--curves", at("curves.svg")];
    const { child, exit } = launch(["evaluate", "--data", at("data"), ...files]);
    const pipe = await open(picture, "w");
    child.kill("SIGINT");
    await pipe.writeFile(bytes);
    await pipe.close();
    const { code, signal, stdout, stderr } = await exit;
    expect({ code, signal, stdout }).toEqual({ code: 130, signal: null, stdout: "" });
    expect(stderr).toMatch(/^multibox: INTERRUPTED: Stopped after \d+ of 903 images; nothing was written\.\n$/);
    expect(readdirSync(folder.path)).toEqual(["data"]);
  });
});

describe("a mistake with multibox evaluate", () => {
  it.each([
    ["no data set", ["evaluate"], "--data"],
    ["an unknown format", ["evaluate", "--data", ".", "--format", "yolo"], "coco, voc"],
    ["a limit of nothing", ["evaluate", "--data", ".", "--limit", "0"], "whole number"],
    ["a score that is none", ["evaluate", "--data", ".", "--min-score", "30"], "0 to 1"],
    ["an empty threshold", ["evaluate", "--data", ".", "--iou-threshold", ""], "0 to 1"],
  ])("such as %s is a sentence and exit code 2", async (_, args, words) => {
    const { code, stdout, stderr } = await runMultibox(args);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(words);
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  it("such as an unknown model is said before anything is done", async () => {
    await writeCoco(folder.path, redCoco());
    expect(await evaluate("--model", "yolo")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("MODEL_UNKNOWN"),
    });
  });

  it.each([
    ["a folder that is not there", ["--data", "/nowhere"], "DATASET_NOT_FOUND: There is no folder /nowhere."],
    [
      "a file to write in a folder that is not there",
      ["--curves", "/nowhere/c.svg"],
      "NOT_WRITABLE: There is no folder /nowhere.",
    ],
  ])("such as %s is a sentence and exit code 1", async (_, args, words) => {
    await writeCoco(folder.path, redCoco());
    const { code, stdout, stderr } = await evaluate(...args);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain(`multibox: ${words}`);
  });

  it("such as a name for the results that is a folder's leaves no draft", async () => {
    await writeCoco(folder.path, redCoco());
    await mkdir(at("found"));
    const { code, stderr } = await evaluate("--detections", at("found"));
    expect(code).toBe(1);
    expect(stderr).toContain(`NOT_WRITABLE: ${at("found")} is a folder.`);
    expect(readdirSync(folder.path).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });
});
