// A job's child process: what it is called with, what becomes of its events, and of an end without one.
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ANNOTATION_FORMATS } from "../../../src/annotate/formats.ts";
import { createGuard } from "../../../src/pipeline/guard.ts";
import { annotationRunner } from "../../../src/server/jobs/annotation-runner.ts";
import { FORMS, type JobOptions, type JobProgress } from "../../../src/server/jobs/job-schemas.ts";
import { makeFolder } from "../../support/ffmpeg.ts";

let folder: Awaited<ReturnType<typeof makeFolder>>;
beforeAll(async () => {
  folder = await makeFolder();
  mkdirSync(join(folder.path, "upload"));
});
afterAll(() => folder.remove());

/** Runs a script in the place of multibox. */
async function run(
  script: string,
  options: JobOptions = { out: ["jsonl"] },
): Promise<{ outcome: unknown; progress: JobProgress[] }> {
  const progress: JobProgress[] = [];
  const command = [process.execPath, "-e", script];
  const outcome = await annotationRunner({ command, cacheDir: "/cache", guard: createGuard() })({
    record: {
      id: "1",
      video: "in.mp4",
      options,
      settings: ["--model", "m"],
      state: "running",
      created: 0,
      results: [],
    },
    folder: folder.path,
    signal: new AbortController().signal,
    onProgress: (one) => progress.push(one),
  });
  return { outcome, progress };
}

const say = (...events: object[]): string =>
  events.map((event) => `console.log(${JSON.stringify(JSON.stringify(event))});`).join("");

test("a job may have every form that a video's annotations can have", () => {
  const all = ANNOTATION_FORMATS.filter(({ only }) => only !== "pictures").map(({ name }) => name);
  expect([...FORMS].toSorted()).toEqual(["jsonl", ...all].toSorted());
});

test("the options are arguments, the events progress, and damage a warning", async () => {
  const options: JobOptions = {
    out: ["csv", "video"],
    every: 2,
    minScore: 0.5,
    keyframes: true,
    labels: ["red", "grey"],
    crf: 30,
  };
  const echo = `console.log(JSON.stringify({ event: "warning", code: "ARGS", message: process.argv.slice(1).join(" ") }));`;
  const { outcome, progress } = await run(
    echo +
      say(
        { event: "progress", file: "in.mp4", frames: 8, framesPerSecond: 4, percent: 40, secondsLeft: 3 },
        { event: "convert", file: "in.mp4", form: "video", percent: 10 },
        { event: "done", file: "in.mp4", state: "done", frames: 20, detections: 9, outputs: [] },
      ),
    options,
  );
  const args =
    `annotate --json --resume --workers 1 --cache-dir /cache --out-dir ${join(folder.path, "results")} --model m --every 2 ` +
    "--min-score 0.5 --crf 30 --out csv --out video --keyframes --labels red grey -- in.mp4";
  expect(outcome).toEqual({ frames: 20, detections: 9, warnings: [{ code: "ARGS", message: args }] });
  expect(progress).toEqual([
    { phase: "detecting", frames: 8, framesPerSecond: 4, percent: 40, secondsLeft: 3 },
    { phase: "writing", frames: 8, form: "video", percent: 10 },
  ]);
});

test("a failure is the child's own sentence, from its event or its last line, or says how it died", async () => {
  const failed = say({ event: "failed", code: "DISK_FULL", message: "It is full.", hint: "Make room." });
  await expect(run(`${failed} process.exitCode = 1`)).rejects.toMatchObject({ code: "DISK_FULL", hint: "Make room." });
  const said = `console.error("multibox: MODEL_UNKNOWN: There is no model m."); process.exitCode = 2`;
  await expect(run(said)).rejects.toMatchObject({ code: "MODEL_UNKNOWN", message: "There is no model m." });
  await expect(run(`process.kill(process.pid, "SIGKILL")`)).rejects.toMatchObject({
    code: "JOB_DIED",
    message: expect.stringContaining("by SIGKILL") as unknown,
  });
});

test("what another version has begun is begun anew", async () => {
  const left = join(folder.path, "results", "in.jsonl.partial");
  mkdirSync(join(left, ".."), { recursive: true });
  writeFileSync(left, "old");
  const failed = say({ event: "failed", code: "RESUME_MISMATCH", message: "It was begun otherwise.", hint: "" });
  const done = say({ event: "done", state: "done", frames: 1, detections: 0 });
  const script = `if (require("node:fs").existsSync(${JSON.stringify(left)})) { ${failed} process.exitCode = 2 } else { ${done} }`;
  expect((await run(script)).outcome).toEqual({ frames: 1, detections: 0 });
  expect(existsSync(left)).toBe(false);
});
