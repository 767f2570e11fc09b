// `multibox annotate` and `multibox detect --out` as people call them: the real program, the real model, real files.
import { copyFile, mkdir, readdir, readFile, symlink } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readAnnotations } from "../../src/annotate/annotation-file.ts";
import { partialPath } from "../../src/annotate/annotation-writer.ts";
import { demoClip } from "../../src/demo-clip.ts";
import { makeBadFile } from "../support/bad-files.ts";
import { ffmpeg, makeFolder } from "../support/ffmpeg.ts";
import { testCacheDir } from "../support/model.ts";
import { launch, runMultibox } from "../support/multibox.ts";

let folder: Awaited<ReturnType<typeof makeFolder>>;
/** Two seconds of the demo. */
let clip: string;
const file = (name: string): string => join(folder.path, name);
const text = (path: string): Promise<string> => readFile(path, "utf8");
const FAST = ["--engine", "onnx:cpu"] as const;

beforeAll(async () => {
  folder = await makeFolder();
  clip = file("clip.mp4");
  await ffmpeg(
    "-t 2 -i",
    await demoClip(testCacheDir()),
    "-c:v libx264 -preset ultrafast -bf 2 -pix_fmt yuv420p",
    clip,
  );
});
afterAll(() => folder.remove());

describe("multibox annotate", () => {
  it("writes what it finds, the same bytes each time, and overwrites nothing", async () => {
    const first = await runMultibox(["annotate", clip, ...FAST]);
    expect(first).toMatchObject({ code: 0, stdout: "" });
    expect(first.stderr).toMatch(/clip\.mp4: \d+ frames, [\d.]+ frames\/s -> .*clip\.jsonl\n$/);
    const { header, lines } = await readAnnotations(file("clip.jsonl"));
    expect(header).toMatchObject({
      source: { path: clip, codec: "h264" },
      model: { name: "ssdlite-mobilenet-v2", engine: "onnx:cpu" },
    });
    const labels = new Set<string>();
    for await (const { detections } of lines()) for (const { label } of detections) labels.add(label);
    expect(labels.size).toBeGreaterThan(0);

    const again = await runMultibox(["annotate", clip, ...FAST]);
    expect([again.code, again.stderr]).toEqual([
      2,
      expect.stringMatching(/OUT_EXISTS: .*clip\.jsonl is there already\. .*--force/),
    ]);
    const other = file("other/found.jsonl");
    const events = await runMultibox([
      "annotate",
      clip,
      "--json",
      "--workers",
      "1",
      "--out",
      other,
      "--out",
      "csv,coco",
      "--out-dir",
      file("other"),
      ...FAST,
    ]);
    expect(await text(other)).toBe(await text(file("clip.jsonl")));
    expect((await readdir(file("other"))).sort()).toEqual(["clip.coco.json", "clip.csv", "found.jsonl"]);
    const names = events.stdout
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as { event: string }).event);
    expect([names[0], ...names.slice(-2)]).toEqual(["start", "done", "summary"]);
  });

  it("annotates what is good of a folder, names what is broken, and fails", async () => {
    const [videos, found] = [file("videos"), file("found")];
    await mkdir(join(videos, "more"), { recursive: true });
    await ffmpeg("-t 0.3 -i", clip, "-vf scale=160:-2 -c:v libx264", file("tiny.mp4"));
    for (let i = 0; i < 17; i++) await copyFile(file("tiny.mp4"), join(videos, i % 2 ? "more" : "", `${i}.mp4`));
    for (const name of ["noise.mp4", "no-index.mp4", "empty.mp4"]) await makeBadFile(videos, name, clip);
    const args = ["annotate", videos, "--out", "jsonl,voc", "--out-dir", found, "--jobs", "3", ...FAST];
    const { code, stdout, stderr } = await runMultibox(args);
    expect(code).toBe(1);
    expect(stdout).toMatch(/17 of 20 done/);
    expect(stdout.match(/ done /g)).toHaveLength(17);
    for (const name of ["noise.mp4", "no-index.mp4", "empty.mp4"])
      expect(stderr).toMatch(new RegExp(`^.*${name}: STREAM_[A-Z_]+: .+$`, "m"));
    expect(await readdir(join(found, "more"))).toHaveLength(16);
    // What is there is left, what failed is tried again.
    const again = await runMultibox([...args, "--resume"]);
    expect(again.code).toBe(1);
    expect(again.stdout.match(/ was there /g)).toHaveLength(17);
  });

  it("killed in the midst leaves whole lines, and goes on from them to the same bytes", async () => {
    const target = file("killed.jsonl");
    const args = ["annotate", clip, "--out", target, ...FAST];
    const { child, exit } = launch(args);
    const hasLines = async (): Promise<boolean> =>
      (await text(partialPath(target)).catch(() => "")).split("\n").length > 3;
    while (!(await hasLines()) && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill("SIGKILL");
    await exit;
    const refused = await runMultibox(args);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining("--resume")]);
    const { code } = await runMultibox([...args, "--resume"]);
    expect(code).toBe(0);
    expect(await text(target)).toBe(await text(file("clip.jsonl")));
  });

  it.each([
    [
      "an output that is the input",
      ["--out", "jsonl=clip.mp4", "--force"],
      /OUT_IS_INPUT: clip.mp4 is .*clip.mp4, the video itself/,
    ],
    ["an output that is the input by another name", ["--out", "jsonl=link.mp4", "--force"], /OUT_IS_INPUT/],
    ["a form that is none", ["--out", "docx"], /OUT_UNKNOWN: --out docx/],
    ["a form for pictures or a camera", ["rtsp://192.0.2.1/x"], /STREAM_BAD_SCHEME/],
    ["a label that is none", ["--labels", "unicorn"], /LABEL_UNKNOWN/],
    ["a time that is none", ["--start", "soon"], /--start/],
  ])("refuses %s", async (_, args, sentence) => {
    await symlink(clip, file("link.mp4")).catch(() => undefined);
    const before = await readFile(clip);
    const { code, stderr } = await runMultibox(["annotate", "clip.mp4", ...args], {}, folder.path);
    expect([code, stderr]).toEqual([2, expect.stringMatching(sentence)]);
    expect(await readFile(clip)).toEqual(before);
  });
});

describe("multibox detect", () => {
  it("writes what is in the pictures of a folder in every form that pictures can have", async () => {
    await mkdir(file("photos"));
    await ffmpeg("-i", clip, "-frames:v 3 -vf select='not(mod(n\\,10))' -fps_mode passthrough", file("photos/%d.jpg"));
    await makeBadFile(file("photos"), "empty.jpg", clip);
    const out = file("pictures");
    const args = ["detect", file("photos"), "--out", "jsonl,coco,csv", "--out", "yolo,voc", "--out-dir", out, ...FAST];
    const { code, stderr } = await runMultibox(args);
    expect(code).toBe(1);
    expect(stderr).toMatch(/empty\.jpg: PICTURE_UNREADABLE/);
    const { header, lines } = await readAnnotations(join(out, "detections.jsonl"));
    expect(header.source).toEqual({ kind: "pictures" });
    const files: unknown[] = [];
    for await (const line of lines()) files.push("file" in line && line.file);
    expect(files).toEqual([1, 2, 3].map((name) => file(`photos/${name}.jpg`)));
    expect(await readdir(out)).toHaveLength(5);
    expect(await runMultibox(args)).toMatchObject({ code: 2, stderr: expect.stringContaining("OUT_EXISTS") as string });
  });
});
