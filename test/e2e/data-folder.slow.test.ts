// The data folder: what no record names is set aside and never deleted, and everything in it is its owner's alone.
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { demoClip } from "../../src/demo-clip.ts";
import { makeFolder } from "../support/ffmpeg.ts";
import { testCacheDir } from "../support/model.ts";
import { runMultibox, startMultibox } from "../support/multibox.ts";
import { until } from "../support/processes.ts";

let folder: Awaited<ReturnType<typeof makeFolder>>;
let dataDir: string;
beforeAll(async () => {
  folder = await makeFolder();
  dataDir = join(folder.path, "data");
});
afterAll(() => folder.remove());

/** As an earlier version left it: others may read it. */
function write(path: string, text: string): void {
  const file = join(dataDir, path);
  mkdirSync(join(file, ".."), { recursive: true, mode: 0o755 });
  writeFileSync(file, text, { mode: 0o644 });
}

/** What others may do anything with. */
function shared(path: string): string[] {
  const found = lstatSync(path);
  const own = (found.mode & 0o077) === 0 ? [] : [`${path} ${(found.mode & 0o777).toString(8)}`];
  if (!found.isDirectory()) return own;
  return [...own, ...readdirSync(path).flatMap((name) => shared(join(path, name)))];
}

test("after the advice for a damaged database, results of jobs and training runs are in quarantine; others can read nothing", async () => {
  const results = [
    "jobs/20260101T000000000-abcd/results/door.jsonl",
    "trainings/.server/20260101T000000000-efgh/model/door/model.json",
    "captures/20260101T000000000-door-7.jpg",
  ];
  for (const path of results) write(path, path);
  write("jobs/20260101T000000000-half/.incoming", "");
  write("captures/20260101T000000000-door-8.jpg", "an image");
  write("captures/20260101T000000000-door-8.capture.json", '{"id":');
  write("multibox.db", "this is no database, but something else that is long enough to be read as one");

  const refused = await runMultibox(["serve", "--port", "0"], { MULTIBOX_DATA_DIR: dataDir });
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("STORE_DAMAGED")]);
  expect(refused.stderr).toContain("moved to quarantine/");
  for (const name of ["multibox.db", "multibox.db-wal", "multibox.db-shm"])
    if (existsSync(join(dataDir, name))) renameSync(join(dataDir, name), join(folder.path, name));

  const demo = await demoClip(testCacheDir());
  const multibox = await startMultibox(["--stream", `demo=${demo}`], { MULTIBOX_DATA_DIR: dataDir });
  try {
    const places = readdirSync(join(dataDir, "quarantine"));
    for (const path of results) {
      expect(existsSync(join(dataDir, path))).toBe(false);
      const kept = places.filter((place) => existsSync(join(dataDir, "quarantine", place, path)));
      expect(kept).toHaveLength(1);
      expect(readFileSync(join(dataDir, "quarantine", kept[0]!, path), "utf8")).toBe(path);
      expect(multibox.stderr).toContain(
        path
          .split("/")
          .slice(0, path.startsWith("trainings") ? 3 : 2)
          .join("/"),
      );
    }
    expect(existsSync(join(dataDir, "jobs/20260101T000000000-half"))).toBe(false);
    expect(readFileSync(join(dataDir, "captures/20260101T000000000-door-8.jpg"), "utf8")).toBe("an image");

    await until(async () => (await multibox.ask("/v1/streams/demo/captures", { method: "POST" })).status === 201);
    const body = new FormData();
    body.set("file", new Blob([readFileSync(demo)]), "door.mp4");
    body.set("out", "jsonl");
    body.set("end", "1");
    expect((await multibox.ask("/v1/jobs", { method: "POST", body })).status).toBe(202);
    await until(async () => {
      const { jobs } = (await (await multibox.ask("/v1/jobs")).json()) as { jobs: { state: string }[] };
      return jobs.every(({ state }) => state === "done");
    });
    expect(readdirSync(dataDir)).toEqual(expect.arrayContaining(["captures", "clock.json", "history.db", "jobs"]));
    expect(readdirSync(dataDir).flatMap((name) => shared(join(dataDir, name)))).toEqual([]);
  } finally {
    await multibox.stop();
  }
  // Its size is in the log of each start.
  const again = await startMultibox([], { MULTIBOX_DATA_DIR: dataDir });
  await again.stop();
  expect(again.stderr).toMatch(/quarantine has \d+\.\d MB/);
});
