// The command line: help that a newcomer can live on, exit codes, pictures, models; and nothing but text where there is no terminal.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { demoClip } from "../../src/demo-clip.ts";
import type { Detection } from "../../src/model/detection.ts";
import { packageVersion } from "../../src/version.ts";
import { ffmpeg, makeFolder } from "../support/ffmpeg.ts";
import { defaultModelFolder, testCacheDir, testData } from "../support/model.ts";
import { launch, runMultibox } from "../support/multibox.ts";

let folder: Awaited<ReturnType<typeof makeFolder>>;
const file = (name: string): string => join(folder.path, name);

beforeAll(async () => {
  folder = await makeFolder();
  await ffmpeg("-ss 1.5 -i", await demoClip(testCacheDir()), "-frames:v 1 -q:v 2", file("car.jpg"));
  await writeFile(file("broken.jpg"), "no picture");
});
afterAll(() => folder.remove());

describe("multibox --help", () => {
  it.each([
    [[], ["serve", "detect", "models", "Start here:"]],
    [
      ["serve"],
      ["--stream <name=url>", "rtsp://", "--port", "8080", "--file-roots", "Examples:", "MULTIBOX_MAX_BATCH"],
    ],
    [
      ["detect"],
      [
        "<file...>",
        "--min-score",
        "default: 0.5",
        "--nms <value>",
        "--class-agnostic Let",
        "--json",
        "pixels",
        "Examples:",
      ],
    ],
    [["evaluate"], ["--data <folder>", "coco", "voc", "--curves", "--difficult", "Example:"]],
    [["models"], ["list", "pull", "import"]],
    [
      ["models", "import"],
      [".pth", ".caffemodel", "--spec <name>", "--out <folder>", "--force", "Example:"],
    ],
    [
      ["models", "list"],
      ["--json", "--cache-dir"],
    ],
    [
      ["models", "pull"],
      ["--force", "[name...]"],
    ],
  ])("of %j says what there is", async (command, words) => {
    const { code, stdout, stderr } = await runMultibox([...command, "--help"]);
    expect([code, stderr]).toEqual([0, ""]);
    for (const word of words) expect(stdout.replaceAll(/\s+/g, " ")).toContain(word);
    // Every option has its sentence.
    for (const line of stdout.split("\n").filter((text) => /^ {2}-/.test(text))) expect(line).toMatch(/ {2}\w/);
    for (const line of stdout.split("\n")) expect(line.length).toBeLessThan(120);
  });

  it("is shown by no command at all, as a mistake in the call", async () => {
    const { code, stdout, stderr } = await runMultibox([]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain("Start here:");
  });

  it("is accompanied by --version", async () => {
    expect(await runMultibox(["--version"])).toMatchObject({ code: 0, stdout: `${packageVersion()}\n`, stderr: "" });
  });
});

describe("a mistake in the call", () => {
  it.each([
    ["an unknown command", ["sevre"], "sevre"],
    ["an unknown option", ["serve", "--prot", "80"], "--prot"],
    ["an option without its value", ["serve", "--port"], "--port"],
    ["an argument too many", ["serve", "cam1"], "serve"],
    ["a missing argument", ["detect"], "file"],
    ["a value that is no number", ["serve", "--port", "http"], 'CONFIG_INVALID: The setting port is "http"'],
    ["a value out of range", ["serve", "--max-batch", "0"], 'CONFIG_INVALID: The setting maxBatch is "0"'],
    ["a value that is not among the choices", ["serve", "--engine", "gpu"], "onnx:cpu"],
    ["a score that is none", ["detect", "x.jpg", "--min-score", "50"], 'The setting minScore is "50"'],
    ["a stream without a name", ["serve", "--stream", "rtsp://192.0.2.7/x"], "name=url"],
    ["a stream with a name that none can have", ["serve", "--stream", "my cam=x.mp4"], "my cam"],
    [
      "a stream with an unknown scheme",
      ["serve", "--port", "0", "--stream", "a=ftp://192.0.2.7/x"],
      'CONFIG_INVALID: The setting streams.0.url is "ftp://192.0.2.7/x": only rtsp',
    ],
    ["two streams with one name", ["serve", "--port", "0", "--stream", "a=x", "--stream", "a=y"], '"a"'],
    ["a settings file that is not there", ["serve", "--config", "/nowhere.yaml"], "/nowhere.yaml"],
    ["an unknown model", ["serve", "--model", "yolo"], 'MODEL_UNKNOWN: There is no model "yolo"'],
    ["an unknown model to fetch", ["models", "pull", "yolo"], 'MODEL_UNKNOWN: There is no model "yolo"'],
    [
      "an unknown label",
      ["detect", "x.jpg", "--labels", "unicorn"],
      "LABEL_UNKNOWN: The model does not know the label",
    ],
    ["no token where other machines get in", ["serve", "--host", "0.0.0.0"], "TOKEN_NEEDED: Listening on 0.0.0.0"],
  ])("such as %s is a sentence and exit code 2", async (_, args, words) => {
    const { code, stdout, stderr } = await runMultibox(args);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(words);
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  it.each([
    ["a stream without a name", ["--stream", "rtsp://admin:hunter2hunter2@192.0.2.7/x"]],
    ["a stream with a bad name", ["--stream", "my cam=rtsp://admin:hunter2hunter2@192.0.2.7/x"]],
    ["a stream with a query and no name", ["--stream", "rtsp://admin:hunter2hunter2@192.0.2.7/x?a=b"]],
    ["a stream with an address too long", ["--stream", `a=rtsp://admin:hunter2hunter2@192.0.2.7/${"x".repeat(3000)}`]],
    ["a token too short", ["--token", "hunter2hunter2"]],
  ])("does not repeat a secret: %s", async (_, args) => {
    const { code, stdout, stderr } = await runMultibox(["serve", ...args]);
    expect(code).toBe(2);
    expect(stderr).not.toBe("");
    expect(stdout + stderr).not.toContain("hunter2");
  });

  it.each([
    ["is no YAML", 'streams: [{ id: a, url: "rtsp://admin:hunter2hunter2@192.0.2.7/x }]\nport: 8080\n', "UNREADABLE"],
    ["has one stream for a list", "streams:\n  id: a\n  url: rtsp://admin:hunter2hunter2@192.0.2.7/x\n", "streams"],
    ["is a sentence", "hunter2hunter2", "UNREADABLE"],
    ["has an unknown setting", "prot: 8080\n", '"prot"'],
  ])("is said of a settings file that %s, without its secrets", async (_, text, words) => {
    await writeFile(file("bad.yaml"), text);
    const { code, stdout, stderr } = await runMultibox(["serve", "--config", file("bad.yaml")]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/^multibox: CONFIG_/);
    expect(stderr).toContain(words);
    expect(stderr).not.toContain("hunter2");
  });
});

interface Line {
  readonly file: string;
  readonly width: number;
  readonly height: number;
  readonly detections: readonly Detection[];
}

describe("multibox detect", () => {
  const dog = testData("photos/dog.jpg");

  it.skipIf(dog === undefined)("finds the dog, the bicycle and the car of dog.jpg (needs the test data)", async () => {
    const { code, stdout, stderr } = await runMultibox(["detect", dog!, "--json"]);
    expect([code, stderr]).toEqual([0, ""]);
    const [line, ...more] = linesOf(stdout);
    expect(more).toEqual([]);
    expect(line).toMatchObject({ file: dog, width: 768, height: 576, model: { name: "ssdlite-mobilenet-v2" } });
    const labels = line!.detections.filter(({ score }) => score > 0.5).map(({ label }) => label);
    expect(labels).toEqual(expect.arrayContaining(["dog", "bicycle"]));
    expect(labels.some((label) => label === "car" || label === "truck")).toBe(true);
    for (const { bbox, score } of line!.detections) {
      const [x, y, width, height] = bbox;
      expect([x >= 0, y >= 0, x + width <= 768, y + height <= 576, score >= 0.5]).not.toContain(false);
    }
    // In the left half, and lower than the car behind it.
    const [x, y, width] = line!.detections.find(({ label }) => label === "dog")!.bbox;
    expect([x > 100, x + width < 384, y > 180]).toEqual([true, true, true]);
  });

  it("goes on after a picture that cannot be read, and fails in the end", async () => {
    const names = [file("car.jpg"), file("broken.jpg"), file("missing.jpg"), file("car.jpg")];
    const { code, stdout, stderr } = await runMultibox(["detect", ...names, "--json", "--labels", "car"]);
    expect(code).toBe(1);
    const lines = linesOf(stdout);
    expect(lines.map((line) => line.file)).toEqual([file("car.jpg"), file("car.jpg")]);
    for (const { detections } of lines) expect(detections.map(({ label }) => label)).toEqual(["car"]);
    const complaints = stderr.trim().split("\n");
    expect(complaints).toHaveLength(2);
    expect(complaints[0]).toContain(`${file("broken.jpg")}: PICTURE_UNREADABLE: `);
    expect(complaints[1]).toContain(`${file("missing.jpg")}: FILE_NOT_FOUND: `);
  });

  it("ends quietly when nobody reads on", async () => {
    const { child, exit } = launch(["detect", ...Array<string>(4).fill(file("car.jpg")), "--json"]);
    child.stdout!.once("data", () => child.stdout!.destroy());
    expect(await exit).toMatchObject({ code: 0, stderr: "" });
  });

  it("writes lines for people, without colours and bars where there is no terminal", async () => {
    const { stdout, stderr } = await runMultibox(["detect", file("car.jpg")], { FORCE_COLOR: undefined });
    expect(stderr).toBe("");
    expect(stdout).toMatch(
      /^.+car\.jpg \(1280 x 720\)\n {2}0\.\d\d {2}car +x +\d+ {2}y +\d+ {2}width +\d+ {2}height +\d+\n/,
    );
    expect(stdout).not.toContain("\u001B");
  });
});

describe("multibox models", () => {
  it("lists what there is and what is here, for people and for machines", async () => {
    const { code, stdout } = await runMultibox(["models", "list", "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toContainEqual(
      expect.objectContaining({
        name: "ssdlite-mobilenet-v2",
        licence: "Apache-2.0",
        cached: true,
        folder: defaultModelFolder(),
      }),
    );
    const people = await runMultibox(["models", "list", "--cache-dir", folder.path]);
    expect(people.stdout).toMatch(/ssdlite-mobilenet-v2\n.+\n.+Apache-2\.0.+\n.+not fetched yet/);
  });

  it("fetches nothing that is here, and says where it is", async () => {
    const { code, stdout, stderr } = await runMultibox(["models", "pull", "ssdlite-mobilenet-v2", "--json"]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(JSON.parse(stdout)).toEqual({ name: "ssdlite-mobilenet-v2", folder: defaultModelFolder() });
  });
});

const linesOf = (stdout: string): Line[] =>
  stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Line);
