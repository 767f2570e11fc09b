// Proposals by a real server: a child process looks at frames of a real camera, a review meanwhile wins, and nothing is left of a run that was ended.
import { readdirSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { CaptureStore } from "../../src/server/captures/capture-store.ts";
import type { CaptureInfo, CaptureList } from "../../src/server/captures/capture-schemas.ts";
import type { ProposalsInfo, ProposalsRequest } from "../../src/server/captures/proposal-schemas.ts";
import { ffmpeg, makeFolder } from "../support/ffmpeg.ts";
import { testData } from "../support/model.ts";
import { type Multibox, runMultibox, startMultibox } from "../support/multibox.ts";
import { processesWith, until } from "../support/processes.ts";

const BOUNDS = { maxCount: 1000, maxBytes: 1e9 };
const FRAMES = 12;
const video = testData("videos/vtest.avi");

let folder: Awaited<ReturnType<typeof makeFolder>>;
let dataDir: string;
let images: string[];
beforeAll(async () => {
  folder = await makeFolder();
  const at = folder.path;
  if (video)
    await ffmpeg(
      `-i ${video}`,
      `-vf select='not(mod(n,60))' -vsync 0 -frames:v ${FRAMES} -qscale:v 2`,
      join(at, "f%02d.jpg"),
    );
  else
    await ffmpeg("-f lavfi -i testsrc2=size=768x576:rate=1", `-frames:v ${FRAMES} -qscale:v 2`, join(at, "f%02d.jpg"));
  images = readdirSync(at)
    .map((name) => join(at, name))
    .sort();
});
afterAll(() => folder.remove());
beforeEach(async () => {
  dataDir = join(folder.path, "data");
  await rm(dataDir, { recursive: true, force: true });
  const store = new CaptureStore(join(dataDir, "captures"), BOUNDS);
  for (const [i, file] of images.entries()) {
    const jpeg = await readFile(file);
    const { width, height } = await sharp(jpeg).metadata();
    const facts = {
      stream: i % 2 === 0 ? "yard" : "door",
      seq: i,
      pts: i,
      time: "2026-11-25T10:00:00.000Z",
      reason: "call",
    };
    const made = { width, height, bytes: jpeg.length, hash: "0".repeat(16), model: { name: "m", version: "1" } };
    const review = { proposed: [], objects: [], status: "new" as const };
    await store.add(
      { id: `20261125T1000000${String(i).padStart(2, "0")}-cam-${i}`, ...facts, ...made, ...review },
      jpeg,
    );
  }
});

const start = (): Promise<Multibox> => startMultibox(["--no-demo"], { MULTIBOX_DATA_DIR: dataDir });

const post = (multibox: Multibox, path: string, body: object = {}, headers: object = {}): Promise<Response> =>
  multibox.ask(path, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });

const propose = (multibox: Multibox, body: ProposalsRequest = {}, headers: object = {}): Promise<Response> =>
  post(multibox, "/v1/captures/proposals", body, headers);

async function stateOf(multibox: Multibox, headers: Record<string, string> = {}): Promise<ProposalsInfo> {
  return (await (await multibox.ask("/v1/captures/proposals", { headers })).json()) as ProposalsInfo;
}

async function capturesOf(multibox: Multibox): Promise<CaptureInfo[]> {
  return ((await (await multibox.ask("/v1/captures?limit=1000")).json()) as CaptureList).captures;
}

test("proposals are replaced while the server runs, with what a dry run prints; a review meanwhile wins", async () => {
  const multibox = await start();
  try {
    const dry = await runMultibox(["captures", "label", "--dry-run", "--regions=3x2", `--data-dir=${dataDir}`]);
    expect([dry.code, dry.stderr]).toEqual([0, ""]);
    const lines = dry.stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.map(({ event }) => event)).toEqual([...Array.from({ length: FRAMES }, () => "proposed"), "done"]);
    expect(lines.at(-1)).toMatchObject({ captures: FRAMES, boxesBefore: 0, reviewed: 0, failed: 0 });
    expect((await capturesOf(multibox)).every(({ model }) => model.name === "m")).toBe(true);

    const answer = await propose(multibox, { regions: "3x2" });
    expect([answer.status, await answer.json()]).toEqual([
      202,
      expect.objectContaining({ state: "running", total: FRAMES }),
    ]);
    expect(await (await propose(multibox)).json()).toMatchObject({ status: 409, code: "PROPOSALS_RUNNING" });
    const ids = (await capturesOf(multibox)).map(({ id }) => id);
    // The last one is accepted as it is, and the one before is deleted, before the child process has come so far.
    const [deleted, accepted] = ids.slice(-2) as [string, string];
    await multibox.ask(`/v1/captures/${deleted}`, { method: "DELETE" });
    await multibox.ask(`/v1/captures/${accepted}`, {
      method: "PATCH",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ status: "accepted" }),
    });
    await until(async () => (await stateOf(multibox)).state !== "running");
    const state = await stateOf(multibox);
    expect(state).toMatchObject({
      state: "done",
      model: "ssdlite-mobilenet-v2@0",
      regions: "3x2",
      total: FRAMES,
      done: FRAMES,
      captures: FRAMES - 2,
      boxesBefore: 0,
      reviewed: 2,
      failed: 0,
      failures: [],
    });
    const captures = await capturesOf(multibox);
    const proposed = new Map(lines.map(({ id, proposed: boxes }) => [id, boxes]));
    for (const capture of captures) {
      const isReviewed = capture.id === accepted;
      expect([capture.id, capture.model.name, capture.proposed]).toEqual([
        capture.id,
        isReviewed ? "m" : "ssdlite-mobilenet-v2",
        isReviewed ? [] : proposed.get(capture.id),
      ]);
    }
    expect(state.boxes).toBe(captures.reduce((sum, capture) => sum + capture.proposed.length, 0));
    expect(state.boxes).toBeGreaterThan(video ? FRAMES : -1);
    const agreement = await multibox.ask("/v1/captures/agreement");
    const printed = await runMultibox(["captures", "agreement", "--json", `--data-dir=${dataDir}`]);
    expect(await agreement.json()).toEqual(JSON.parse(printed.stdout));
  } finally {
    await multibox.stop();
  }
});

test("a run that is cancelled, or whose server stops or is killed, leaves no process; the next server is idle", async () => {
  let multibox = await start();
  try {
    expect((await propose(multibox, { regions: "8x8" })).status).toBe(202);
    await until(async () => (await stateOf(multibox)).done! > 0);
    const [child] = processesWith("--dry-run").filter((pid) => processesWith(dataDir).includes(pid));
    expect(child).toBeDefined();
    const cancelled = (await (await post(multibox, "/v1/captures/proposals/cancel")).json()) as ProposalsInfo;
    expect(cancelled).toMatchObject({ state: "cancelled", total: FRAMES });
    expect(cancelled.captures).toBeGreaterThan(0);
    expect(cancelled.done).toBeLessThan(FRAMES);
    expect(processesWith("--dry-run").filter((pid) => pid === child)).toEqual([]);
    const changed = (await capturesOf(multibox)).filter(({ model }) => model.name !== "m");
    expect(changed).toHaveLength(cancelled.captures!);

    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      expect((await propose(multibox, { regions: "8x8" })).status).toBe(202);
      await until(() => processesWith("--dry-run").some((pid) => processesWith(dataDir).includes(pid)));
      await multibox.stop(signal);
      await until(() => !processesWith("--dry-run").some((pid) => processesWith(dataDir).includes(pid)));
      multibox = await start();
      expect(await stateOf(multibox)).toEqual({ state: "idle" });
    }
    expect(await capturesOf(multibox)).toHaveLength(FRAMES);
  } finally {
    await multibox.stop();
  }
});

test("a token for one stream proposes for the captures of that stream, and one that reads may not", async () => {
  const make = async (...args: string[]): Promise<Record<string, string>> => {
    const { stdout } = await runMultibox(["token", "create", ...args, "--json", `--data-dir=${dataDir}`]);
    return { authorization: `Bearer ${(JSON.parse(stdout) as { token: string }).token}` };
  };
  const yard = await make("yard", "--scope", "write", "--streams", "yard");
  const reader = await make("reader", "--scope", "read");
  const multibox = await start();
  try {
    expect(await (await propose(multibox, {}, reader)).json()).toMatchObject({ code: "SCOPE_MISSING" });
    expect(await (await propose(multibox, { stream: "door" }, yard)).json()).toMatchObject({
      code: "NO_UNREVIEWED_CAPTURES",
    });
    const answer = await propose(multibox, { regions: "1x1" }, yard);
    expect(await answer.json()).toMatchObject({ state: "running", total: FRAMES / 2 });
    await until(async () => (await stateOf(multibox, reader)).state !== "running");
    expect(await stateOf(multibox, reader)).toMatchObject({ state: "done", captures: FRAMES / 2 });
    const list = await multibox.ask("/v1/captures?limit=1000", { headers: reader });
    const { captures } = (await list.json()) as CaptureList;
    for (const { stream, model } of captures) expect([stream, model.name === "m"]).toEqual([stream, stream === "door"]);
  } finally {
    await multibox.stop();
  }
});
