// An annotation job while four streams run, its server killed in the midst: the next one ends it, to the bytes of an undisturbed run.
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import type { JobInfo } from "../../src/server/jobs/job-schemas.ts";
import { makeFolder } from "../support/ffmpeg.ts";
import { testData } from "../support/model.ts";
import { gapOf, type Multibox, runMultibox, startMultibox } from "../support/multibox.ts";
import { processesWith, until } from "../support/processes.ts";

const video = testData("videos/roboflow-example_video.mp4");
const STREAMS = ["a", "b", "c", "d"];

async function jobOnce(multibox: Multibox, id: string, isSo: (job: JobInfo) => boolean): Promise<JobInfo> {
  for (;;) {
    const job = (await (await multibox.ask(`/v1/jobs/${id}`)).json()) as JobInfo;
    if (isSo(job)) return job;
    if (job.state === "failed") throw new Error(JSON.stringify(job.error));
    await sleep(100);
  }
}

const isOver = ({ state }: JobInfo): boolean => state !== "queued" && state !== "running";

async function upload(multibox: Multibox, out: string): Promise<JobInfo> {
  const body = new FormData();
  body.append("out", out);
  body.append("file", new Blob([readFileSync(video!)]), basename(video!));
  const answer = await multibox.ask("/v1/jobs", { method: "POST", body });
  expect(answer.status).toBe(202);
  return (await answer.json()) as JobInfo;
}

test.skipIf(!video)(
  "a job survives kill -9 beside four streams, and its lines are those of multibox annotate (needs test data)",
  async () => {
    const folder = await makeFolder();
    const dataDir = mkdtempSync(join(tmpdir(), "multibox-jobs-"));
    const args = ["--no-demo", "--file-roots", join(video!, "..")];
    const start = (): Promise<Multibox> => startMultibox(args, { MULTIBOX_DATA_DIR: dataDir });
    let multibox = await start();
    try {
      for (const id of STREAMS)
        expect((await multibox.add({ id, url: video!, loop: true, maxFps: 5 })).status).toBe(201);
      for (const id of STREAMS) await multibox.streamOnce(id, ({ counts }) => counts.detected > 5);
      const { id } = await upload(multibox, "jsonl,coco,voc");
      const name = basename(video!);
      await jobOnce(multibox, id, ({ progress }) => (progress?.frames ?? 0) > 40);
      // The child, and its decoder.
      expect(processesWith(dataDir).length).toBeGreaterThan(1);

      await multibox.stop("SIGKILL");
      await until(() => processesWith(dataDir).length === 0);
      multibox = await start();
      const resumed = await jobOnce(multibox, id, ({ progress }) => (progress?.frames ?? 0) > 40);
      expect(resumed.state).toBe("running");
      // Streams that were added are there again, and none of their frames is unaccounted for beside the job.
      const done = await jobOnce(multibox, id, isOver);
      expect(done).toMatchObject({
        state: "done",
        results: [
          { form: "jsonl" },
          { form: "coco" },
          { form: "voc", name: expect.stringMatching(/\.tar$/) as unknown },
        ],
      });
      for (const stream of await multibox.streams())
        expect([stream.id, stream.state, gapOf(stream)]).toEqual([stream.id, "live", 0]);

      copyFileSync(video!, join(folder.path, name));
      expect(await runMultibox(["annotate", name, "--out", "jsonl,coco"], {}, folder.path)).toMatchObject({ code: 0 });
      for (const { name: result } of done.results.slice(0, 2)) {
        const answer = await multibox.ask(`/v1/jobs/${id}/results/${result}`);
        expect([
          result,
          Buffer.from(await answer.arrayBuffer()).equals(readFileSync(join(folder.path, result))),
        ]).toEqual([result, true]);
      }

      const other = await upload(multibox, "video");
      await jobOnce(multibox, other.id, ({ progress }) => (progress?.frames ?? 0) > 0);
      const cancelled = (await (
        await multibox.ask(`/v1/jobs/${other.id}/cancel`, { method: "POST" })
      ).json()) as JobInfo;
      expect(cancelled).toMatchObject({ state: "cancelled", results: [] });
      expect(processesWith(dataDir)).toEqual([]);

      const last = await upload(multibox, "jsonl");
      await jobOnce(multibox, last.id, ({ progress }) => (progress?.frames ?? 0) > 0);
      expect((await multibox.stop("SIGTERM")).code).toBe(0);
      expect(processesWith(dataDir)).toEqual([]);
    } finally {
      await multibox.stop("SIGKILL");
      rmSync(dataDir, { recursive: true, force: true });
      await folder.remove();
    }
  },
);
