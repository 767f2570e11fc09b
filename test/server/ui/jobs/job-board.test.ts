// What the page makes of jobs: messages that come out of turn, words and numbers, and the parts of an upload.
import { expect, test } from "vitest";
import { FORMS, type JobInfo } from "../../../../src/server/jobs/job-schemas.ts";
import { withWork } from "../../../../src/server/ui/background.ts";
import { CHOICES, partsOf } from "../../../../src/server/ui/jobs/job-form.ts";
import { formatBytes, formatSeconds, lineOf, shareOf } from "../../../../src/server/ui/jobs/job-words.ts";

const job = (id: string, change: Partial<JobInfo> = {}): JobInfo => ({
  id,
  video: "a.mp4",
  state: "running",
  options: { out: ["csv"] },
  created: "2026-11-25T03:26:49.042Z",
  results: [],
  ...change,
});

test("a job takes its place by its id, and one that has ended does not run again", () => {
  const jobs = withWork(withWork([], job("1")), job("3"));
  expect(withWork(jobs, job("2")).map(({ id }) => id)).toEqual(["3", "2", "1"]);
  const done = withWork(jobs, job("1", { state: "done" }));
  expect(withWork(done, job("1"))).toBe(done);
});

test("progress is told in words", () => {
  const running = (progress: JobInfo["progress"]): JobInfo => job("1", { progress });
  const lines = [
    lineOf(running({ phase: "starting", frames: 0 })),
    lineOf(
      running({ phase: "detecting", frames: 1200, framesExpected: 5000, framesPerSecond: 61.5, secondsLeft: 3725 }),
    ),
    lineOf(running({ phase: "writing", frames: 5000, form: "video", percent: 12 })),
    lineOf(job("1", { state: "queued" })),
    lineOf(job("1", { state: "done", frames: 5000, detections: 7 })),
    lineOf(job("1", { state: "failed" })),
  ];
  expect(lines).toEqual([
    "Starting",
    "1,200 of about 5,000 frames · 61.5 frames/s · 1:02:05 left",
    "Writing video, 12 %",
    "Waits for its turn",
    "5,000 frames, 7 detections",
    "",
  ]);
  expect(shareOf(running({ phase: "detecting", frames: 20, framesExpected: 10 }))).toBe(1);
  expect([999, 1234, 56_789_000].map(formatBytes)).toEqual(["999 bytes", "1.2 kB", "57 MB"]);
  expect(formatSeconds(65)).toBe("1:05");
});

test("every form can be chosen, and the file comes after all options", () => {
  expect(CHOICES.map(([form]) => form).toSorted()).toEqual([...FORMS].toSorted());
  const form = new FormData();
  for (const [name, value] of [
    ["out", "csv"],
    ["out", "video"],
    ["every", " 5 "],
    ["end", ""],
    ["keyframes", "on"],
  ] as const)
    form.append(name, value);
  const parts = [...partsOf(form, new File(["x"], "a.mp4")).entries()].map(([name, value]) => [
    name,
    typeof value === "string" ? value : value.name,
  ]);
  expect(parts).toEqual([
    ["every", "5"],
    ["keyframes", "true"],
    ["out", "csv,video"],
    ["file", "a.mp4"],
  ]);
});
