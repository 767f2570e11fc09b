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

  it("names several, with their files too, between commas; two commas are one in a file's name", () => {
    const all = (text: string): [string, string | undefined][] =>
      parseOutputs([text], "video").map(({ format, path }) => [format?.name ?? "jsonl", path]);
    expect(all("jsonl=a,srt=b")).toEqual([
      ["jsonl", "a"],
      ["srt", "b"],
    ]);
    expect(all("coco=x/a.json,vtt,b.csv")).toEqual([
      ["coco", "x/a.json"],
      ["vtt", undefined],
      ["csv", "b.csv"],
    ]);
    expect(all("jsonl=a,,srt=b")).toEqual([["jsonl", "a,srt=b"]]);
    expect(all("/data/a,b/found.jsonl")).toEqual([["jsonl", "/data/a,b/found.jsonl"]]);
    expect(all("coco=Doe, Jane.json")).toEqual([["coco", "Doe, Jane.json"]]);
  });

  it.each(["jsonl=a,srtt=b", "coco,docx", "csv=a,", "jsonl=a,docx"])(
    "%s is refused, because a name in it is unknown",
    (text) => {
      expect(() => parseOutputs([text], "video")).toThrow(
        expect.objectContaining({ code: "OUT_UNKNOWN", hint: expect.stringContaining("A comma separates") as string }),
      );
    },
  );

  it("cannot ask for JSON lines twice, of which one would be left out", () => {
    expect(() => parseOutputs(["jsonl=a,b.jsonl"], "video")).toThrow(
      "JSON lines are written once, and --out asks for a and b.jsonl.",
    );
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
