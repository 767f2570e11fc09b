// A data folder of an earlier version, as it was left by a server that was killed: the current one opens it and resumes what was interrupted.
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { ffmpeg } from "../support/ffmpeg.ts";
import { runMultibox, startMultibox } from "../support/multibox.ts";

const FIXTURE = join(import.meta.dirname, "../fixtures/data-0.1.0");
/** Named in the fixture's README. */
const TOKEN = /mbx_\w+-?[\w-]+/.exec(readFileSync(join(FIXTURE, "README.md"), "utf8"))![0];

test("a data folder of 0.1.0: streams, tokens, captures, jobs, history and models are there, and the interrupted job is finished", async () => {
  const folder = mkdtempSync(join(tmpdir(), "multibox-old-"));
  const dataDir = await copyOf(folder);
  const env = { MULTIBOX_DATA_DIR: dataDir };
  // It is years old by the time of this test.
  const keep = ["--job-max-days", "36500", "--training-max-count", "100", "--history-hours", "80000"];
  const multibox = await startMultibox(["--no-demo", ...keep], env);
  try {
    const headers = { authorization: `Bearer ${TOKEN}` };
    const getText = async (path: string): Promise<string> => (await multibox.ask(path, { headers })).text();
    const get = async <T>(path: string): Promise<T> => (await (await multibox.ask(path, { headers })).json()) as T;
    expect((await multibox.ask("/v1/streams")).status).toBe(401);
    const streams = await get<{ id: string; settings: object }[]>("/v1/streams");
    expect(streams.map(({ id }) => id)).toEqual(["cam", "still"]);
    expect(streams[0]!.settings).toMatchObject({ loop: true, maxFps: 2, labels: ["person"] });
    expect(streams[1]!.settings).toMatchObject({ paused: true });
    expect(await get("/v1/captures")).toMatchObject({
      total: 1,
      captures: [{ stream: "cam", status: "accepted", objects: [{ label: "person" }] }],
    });
    expect(await get("/v1/models/yard")).toMatchObject({ versions: [{ version: 1, labels: ["cat", "dog"] }] });
    expect(await get("/v1/trainings")).toMatchObject([{ name: "mine", state: "cancelled" }]);
    const history = "/v1/streams/cam/detections?from=2026-11-30T00:00:00Z&to=2026-12-01T00:00:00Z";
    expect(JSON.stringify(await get(history))).toContain('"seq"');
    const jobs = (): Promise<{ jobs: { id: string; video: string; state: string; frames?: number }[] }> =>
      get("/v1/jobs");
    let job = (await jobs()).jobs[0]!;
    while (job.state === "queued" || job.state === "running") {
      await sleep(100);
      job = (await jobs()).jobs[0]!;
    }
    expect((await jobs()).jobs).toMatchObject([
      { video: "long.mp4", state: "done", frames: KEPT_FRAMES },
      { video: "short.mp4", state: "done", frames: 5 },
    ]);
    for (const { id, video, frames } of (await jobs()).jobs) {
      const lines = (await getText(`/v1/jobs/${id}/results/${video.replace("mp4", "jsonl")}`)).trim().split("\n");
      expect(lines.length).toBe(frames! + 1);
    }
    expect(await multibox.stop()).toMatchObject({ code: 0 });
    const out = join(folder, "out");
    expect(await runMultibox(["captures", "export", "--format", "coco", "--out", out], env)).toMatchObject({ code: 0 });
    expect((await runMultibox(["token", "list", "--json"], env)).stdout).toContain('"owner"');
  } finally {
    await multibox.stop("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
});

/** Frames of the interrupted job that the current version has to detect. */
const KEPT_FRAMES = 10;

/** A copy with what git cannot hold, an empty folder, and less to do: a job whose version has changed detects its whole video again. */
async function copyOf(folder: string): Promise<string> {
  const dataDir = join(folder, "data");
  cpSync(join(FIXTURE, "data"), dataDir, { recursive: true });
  mkdirSync(join(dataDir, "trainings/.server"), { recursive: true });
  const jobs = join(dataDir, "jobs");
  const interrupted = readdirSync(jobs, { recursive: true, encoding: "utf8" }).find((name) =>
    name.endsWith("long.mp4"),
  )!;
  const video = join(jobs, interrupted);
  const short = join(folder, "short.mp4");
  await ffmpeg("-i", video, "-c copy -frames:v", String(KEPT_FRAMES), short);
  cpSync(short, video);
  return dataDir;
}
