// How outputs are named, and what is refused before any work is done.
import { describe, expect, it } from "vitest";
import { linesTarget, outputsOf, parseOutput, parseOutputs, requireDistinct } from "../../src/annotate/outputs.ts";

const named = (text: string): [string, string | undefined] => {
  const { format, path } = parseOutput(text);
  return [format?.name ?? "jsonl", path];
};

describe("--out", () => {
  it("names a form, a file by its ending, or both", () => {
    expect(named("coco")).toEqual(["coco", undefined]);
    expect(named("jsonl")).toEqual(["jsonl", undefined]);
    expect(named("found/a.jsonl")).toEqual(["jsonl", "found/a.jsonl"]);
    expect(named("a.csv")).toEqual(["csv", "a.csv"]);
    expect(named("coco=a.csv")).toEqual(["coco", "a.csv"]);
    expect(parseOutputs(["coco,csv", "x.srt"], "video").map(({ format }) => format?.name)).toEqual([
      "coco",
      "csv",
      "srt",
    ]);
  });

  it("that nobody knows is answered with what there is", () => {
    expect(() => parseOutput("docx")).toThrow(/--out docx is no form/);
    expect(() => parseOutput("a.docx")).toThrow(
      expect.objectContaining({ code: "OUT_UNKNOWN", hint: expect.stringContaining("jsonl, coco") as string }),
    );
    expect(() => parseOutputs(["srt"], "pictures")).toThrow(/is for videos/);
  });

  it("goes beside the input, into a folder, or where it was said", () => {
    const requests = parseOutputs(["jsonl", "coco", "x/y.csv"], "video");
    expect(outputsOf("videos/a.b.mp4", requests).map(({ path }) => path)).toEqual([
      "videos/a.b.jsonl",
      "videos/a.b.coco.json",
      "x/y.csv",
    ]);
    expect(outputsOf("videos/a.mp4", requests, "out").map(({ path }) => path)).toEqual([
      "out/a.jsonl",
      "out/a.coco.json",
      "x/y.csv",
    ]);
    expect(outputsOf("-", requests)[0]!.path).toBe("stdin.jsonl");
  });

  it("keeps the lines where they were asked for, else in a file of its own beside the first output", () => {
    expect(linesTarget(outputsOf("a.mp4", parseOutputs(["coco", "jsonl"], "video")))).toEqual({
      path: "a.jsonl",
      isWanted: true,
    });
    expect(linesTarget(outputsOf("v/a.mp4", parseOutputs(["coco"], "video")))).toEqual({
      path: "v/.a.coco.json.multibox.jsonl",
      isWanted: false,
    });
  });

  it("of two videos must not be one file", () => {
    const requests = parseOutputs(["jsonl"], "video");
    const plan = (input: string): { input: string; outputs: ReturnType<typeof outputsOf> } => ({
      input,
      outputs: outputsOf(input, requests),
    });
    expect(() => requireDistinct([plan("a.mp4"), plan("./a.avi")])).toThrow(
      "a.mp4 and ./a.avi would both be written to a.jsonl",
    );
    requireDistinct([plan("a.mp4"), plan("b/a.mp4")]);
  });
});
