// Folders of the data folder that are deleted, renamed or replaced under a running server: refused, named, never recreated, and used again
// when they are back.
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { demoClip } from "../../src/demo-clip.ts";
import { closeDatabase } from "../../src/server/database/sqlite.ts";
import { openStore, storePath } from "../../src/server/database/store.ts";
import { ModelStore } from "../../src/server/models/model-store.ts";
import { randomBundle } from "../model/support/random-bundle.ts";
import { smallSpec } from "../model/support/small-spec.ts";
import { testCacheDir } from "../support/model.ts";
import { type Multibox, startMultibox } from "../support/multibox.ts";
import { until } from "../support/processes.ts";

let folder: string;
let dataDir: string;
let clip: string;
let multibox: Multibox;
let capture: string;
const job = "20260101T120000000-abcd";

interface Answer {
  readonly status: number;
  readonly code?: string;
  readonly detail?: string;
}

async function send(method: string, path: string, body?: object): Promise<Answer & Record<string, unknown>> {
  const init = body && { headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  const answer = await multibox.ask(path, { method, ...init });
  const text = await answer.text();
  const isJson = /^application\/(problem\+)?json/.test(answer.headers.get("content-type") ?? "");
  return { ...(isJson && text !== "" ? (JSON.parse(text) as object) : {}), status: answer.status };
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "multibox-folders-"));
  dataDir = join(folder, "data");
  mkdirSync(join(dataDir, "trainings/.server"), { recursive: true });
  const store = new ModelStore(join(dataDir, "models"));
  const facts = { created: "2026-01-01T12:00:00.000Z", parent: "yard", metrics: {}, offered: true, settings: {} };
  for (const seed of [1, 2])
    await store.add("yard", randomBundle(smallSpec(), seed), { ...facts, data: { hash: "abc", pictures: 1 } });
  writeFileSync(join(dataDir, "models/yard/1/report.html"), "<p>A report.</p>");
  makeJobFiles();
  clip = await demoClip(testCacheDir());
  multibox = await startMultibox(["--no-demo", "--file-roots", join(clip, "..")], { MULTIBOX_DATA_DIR: dataDir });
  await multibox.add({ id: "cam", url: clip, loop: true, maxFps: 5 });
  await multibox.streamOnce("cam", ({ counts }) => counts.detected > 0);
  await until(async () => (await keep()).status === 201);
  const kept = await keep();
  capture = kept["id"] as string;
  await send("PATCH", `/v1/captures/${capture}`, { status: "accepted" });
});
afterAll(async () => {
  await multibox?.stop("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

/** A job that an earlier server has done. */
function makeJobFiles(): void {
  mkdirSync(join(dataDir, "jobs", job, "results"), { recursive: true });
  writeFileSync(join(dataDir, "jobs", job, "results/door.jsonl"), "{}\n");
  const results = [{ name: "door.jsonl", form: "jsonl", bytes: 3 }];
  const record = { format: 1, id: job, video: "door.mp4", options: { out: ["jsonl"] }, settings: [], state: "done" };
  const db = openStore(storePath(dataDir));
  const times = { created: Date.now(), started: Date.now(), ended: Date.now() };
  db.prepare("INSERT INTO jobs VALUES (?, 'done', ?)").run(job, JSON.stringify({ ...record, ...times, results }));
  closeDatabase(db);
}

const keep = (): ReturnType<typeof send> => send("POST", "/v1/streams/cam/captures");
const makeJob = (): ReturnType<typeof send> => send("POST", "/v1/jobs", { path: clip, out: ["jsonl"], end: 1 });
const result = async (): Promise<string> => {
  const { results } = await send("GET", `/v1/jobs/${job}`);
  return `/v1/jobs/${job}/results/${(results as { name: string }[])[0]!.name}`;
};

async function ready(): Promise<unknown> {
  const answer = await multibox.ask("/health/ready");
  const { folders } = (await answer.json()) as { folders: { error?: { code: string; message: string } } };
  return [answer.status, folders.error?.code, folders.error?.message];
}

const GONE = "was deleted while the server runs.";
const OTHER = "was replaced while the server runs.";

/** What is done while it is not there, and what that answers. */
const FOLDERS: readonly [
  name: string,
  named: string,
  requests: () => Promise<Answer[]>,
  works: () => Promise<number>,
][] = [
  [
    "captures",
    "captures/",
    async () => [
      await keep(),
      await send("PATCH", `/v1/captures/${capture}`, { status: "skipped" }),
      await send("DELETE", `/v1/captures/${capture}`),
      await send("GET", `/v1/captures/${capture}/picture.jpg`),
      await send("POST", "/v1/trainings", {}),
    ],
    async () => (await keep()).status,
  ],
  [
    "jobs",
    "jobs/",
    async () => [await makeJob(), await send("DELETE", `/v1/jobs/${job}`), await send("GET", await result())],
    async () => (await send("GET", await result())).status,
  ],
  [
    "models",
    "models/",
    async () => [
      await send("POST", "/v1/models/yard/versions/2/activate", {}),
      await send("DELETE", "/v1/models/yard/versions/2"),
      await send("GET", "/v1/models/yard/versions/1/report"),
    ],
    async () => (await send("GET", "/v1/models/yard/versions/1/report")).status,
  ],
  ["trainings", "trainings/", async () => [await send("POST", "/v1/trainings", {})], () => Promise.resolve(200)],
];

test.each(FOLDERS)(
  "%s/: what writes there is refused while it is away or another folder, and works when it is back",
  async (name, named, requests, works) => {
    const place = join(dataDir, name);
    const away = `${place}.away`;
    const refused = async (how: string): Promise<void> => {
      for (const answer of await requests())
        expect(answer).toMatchObject({ status: 503, code: "FOLDER_UNAVAILABLE", detail: `The folder ${named} ${how}` });
      expect(await ready()).toEqual([503, "FOLDER_UNAVAILABLE", `The folder ${named} ${how}`]);
    };
    renameSync(place, away);
    await refused(GONE);
    await until(() => multibox.stderr.includes(`The folder ${named} ${GONE}`));
    expect(existsSync(place)).toBe(false);
    expect((await multibox.ask("/health/live")).status).toBe(200);

    // A copy is another folder: it may be older.
    cpSync(away, place, { recursive: true });
    const before = readdirSync(place, { recursive: true }).length;
    await refused(OTHER);
    expect(readdirSync(place, { recursive: true })).toHaveLength(before);

    rmSync(place, { recursive: true });
    writeFileSync(place, "no folder");
    await refused(OTHER);
    rmSync(place);
    renameSync(away, place);
    await until(async () => ((await ready()) as [number])[0] === 200);
    expect([200, 201]).toContain(await works());
  },
);

test("a row whose file is missing is 404, with a sentence", async () => {
  const path = await result();
  rmSync(join(dataDir, "jobs", job, "results", path.split("/").at(-1)!));
  expect(await send("GET", path)).toMatchObject({
    status: 404,
    code: "RESULT_UNKNOWN",
    detail: expect.stringContaining("is gone"),
  });
  rmSync(join(dataDir, "captures", `${capture}.jpg`));
  expect(await send("GET", `/v1/captures/${capture}/picture.jpg`)).toMatchObject({
    status: 404,
    code: "CAPTURE_UNKNOWN",
  });
  rmSync(join(dataDir, "models/yard/1/report.html"));
  expect(await send("GET", "/v1/models/yard/versions/1/report")).toMatchObject({ status: 404, code: "RESULT_UNKNOWN" });
});

test("a folder that is deleted and made again, perhaps with the same inode, is another one", async () => {
  const place = join(dataDir, "captures");
  rmSync(place, { recursive: true });
  mkdirSync(place);
  expect(await keep()).toMatchObject({ status: 503, code: "FOLDER_UNAVAILABLE" });
  expect(readdirSync(place)).toEqual([]);
});

test("the whole data folder renamed away is not recreated", async () => {
  renameSync(dataDir, `${dataDir}.away`);
  for (const answer of [await keep(), await makeJob(), await send("POST", "/v1/models/yard/versions/2/activate", {})])
    expect(answer).toMatchObject({ status: 503, detail: `The data folder ${GONE}` });
  expect(existsSync(dataDir)).toBe(false);
  renameSync(`${dataDir}.away`, dataDir);
  expect((await makeJob()).status).toBe(202);
  expect(await multibox.stop()).toMatchObject({ code: 0, signal: null });
});
