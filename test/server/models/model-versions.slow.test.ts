// Versions of a model are activated and deleted at the same time, over HTTP: what a server has acknowledged is there after a restart.
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ModelStore } from "../../../src/server/models/model-store.ts";
import type { ModelInfo } from "../../../src/server/models/model-schemas.ts";
import { randomBundle } from "../../model/support/random-bundle.ts";
import { smallSpec } from "../../model/support/small-spec.ts";
import { demoClip } from "../../../src/demo-clip.ts";
import { testCacheDir } from "../../support/model.ts";
import { type Multibox, startMultibox } from "../../support/multibox.ts";
import { until } from "../../support/processes.ts";

const VERSIONS = 14;

let dataDir: string;
let multibox: Multibox;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "multibox-versions-"));
  const store = new ModelStore(join(dataDir, "models"));
  const facts = {
    created: "2026-01-01T12:00:00.000Z",
    parent: "yard",
    metrics: { AP: 0.5 },
    offered: true,
    data: { hash: "abc", pictures: 10 },
    settings: {},
  };
  for (const name of ["yard", "side"])
    for (let seed = 1; seed <= (name === "yard" ? VERSIONS : 3); seed++)
      await store.add(name, randomBundle(smallSpec(), seed), facts);
  await store.use("yard", 1);
  await store.use("side", 1);
  multibox = await start();
});
afterAll(async () => {
  await multibox?.stop("SIGKILL");
  await rm(dataDir, { recursive: true, force: true });
});

async function start(): Promise<Multibox> {
  const clip = await demoClip(testCacheDir());
  const args = ["--no-demo", "--model", "yard", "--file-roots", join(clip, "..")];
  return startMultibox(args, { MULTIBOX_DATA_DIR: dataDir });
}

type Outcome = readonly [status: number, code: string | undefined];

async function outcome(answer: Promise<Response>): Promise<Outcome> {
  const { status, ...rest } = await answer.then(async (one) => ({ status: one.status, text: await one.text() }));
  const body = rest.text === "" ? {} : (JSON.parse(rest.text) as { code?: string });
  return [status, body.code];
}

const at = (name: string, version: number): string => `/v1/models/${name}/versions/${version}`;
const activate = (name: string, version: number): Promise<Outcome> =>
  outcome(
    multibox.ask(`${at(name, version)}/activate`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"force":true}',
    }),
  );
const remove = (name: string, version: number): Promise<Outcome> =>
  outcome(multibox.ask(at(name, version), { method: "DELETE" }));
const modelOf = async (name: string): Promise<ModelInfo> =>
  (await (await multibox.ask(`/v1/models/${name}`)).json()) as ModelInfo;
const running = async (): Promise<string> => {
  const health = (await (await multibox.ask("/health")).json()) as { engine: { model: { version: string } } };
  return health.engine.model.version;
};

const ACTIVATED: Outcome = [200, undefined];
const DELETED: Outcome = [204, undefined];
const IN_USE: Outcome = [409, "VERSION_IN_USE"];
const UNKNOWN: Outcome = [404, "VERSION_UNKNOWN"];
const BUSY: Outcome = [409, "MODEL_BUSY"];

/** What the server reports of a model is so: on the disk, in the detector, and after a restart. */
async function requireConsistent(): Promise<void> {
  const { inUse, versions } = await modelOf("yard");
  expect(await running()).toBe(String(inUse.version));
  expect(versions.map(({ version }) => version)).toContain(inUse.version);
  for (const { version } of versions) expect(existsSync(join(dataDir, "models", "yard", String(version)))).toBe(true);
}

test("a version that is activated and deleted at the same time is either in use or gone, and the server restarts with what it reported", async () => {
  let next = VERSIONS;
  const kept: number[] = [];
  for (let round = 0; round < 6; round++) {
    const version = next--;
    const isActivatedFirst = round % 2 === 0;
    const first = isActivatedFirst ? activate("yard", version) : remove("yard", version);
    // A little later, so that it comes while the first is under way.
    if (round >= 2) await multibox.ask("/health/live");
    const second = isActivatedFirst ? remove("yard", version) : activate("yard", version);
    const both = await Promise.all([first, second]);
    const [activated, removed] = isActivatedFirst ? both : both.toReversed();
    expect([
      [ACTIVATED, IN_USE],
      [UNKNOWN, DELETED],
    ]).toContainEqual([activated, removed]);
    if (activated![0] === 200) kept.push(version);
    await requireConsistent();
  }
  // Activations first and deletions first: both ways are taken.
  expect(kept.length).toBeGreaterThan(0);
  const { inUse } = await modelOf("yard");
  expect(inUse.version).toBe(kept.at(-1));
  await multibox.stop();
  multibox = await start();
  expect(multibox.ready.model.version).toBe(String(inUse.version));
  expect((await modelOf("yard")).inUse).toEqual(inUse);
});

test("a server that is killed during an activation starts with the version before or the new one, as it reports", async () => {
  const { inUse, versions } = await modelOf("yard");
  const other = versions
    .map(({ version }) => version)
    .find((version) => ![inUse.version, inUse.previous].includes(version))!;
  const answered = activate("yard", other).catch(() => undefined);
  await multibox.stop("SIGKILL");
  await answered;
  multibox = await start();
  expect([inUse.version, other].map(String)).toContain(multibox.ready.model.version);
  await requireConsistent();
});

test("activations and rollbacks at the same time are each done or refused, and the detector has the version that is in use", async () => {
  const { inUse, versions } = await modelOf("yard");
  const [a, b] = versions.map(({ version }) => version).filter((version) => version !== inUse.version);
  const rollback = outcome(multibox.ask("/v1/models/yard/rollback", { method: "POST" }));
  const outcomes = await Promise.all([
    activate("yard", a!),
    activate("yard", b!),
    rollback,
    remove("yard", inUse.version),
  ]);
  for (const one of outcomes.slice(0, 3)) expect([ACTIVATED, BUSY]).toContainEqual(one);
  const done = outcomes.filter(([status]) => status === 200).length;
  expect(done).toBeGreaterThan(0);
  // It is what a rollback restores, unless one more activation came after the first had ended.
  expect(done > 1 ? [IN_USE, DELETED] : [IN_USE]).toContainEqual(outcomes.at(-1));
  await requireConsistent();
});

test("a version that a stream names with its number is not deleted while the stream is there", async () => {
  const url = await demoClip(testCacheDir());
  expect((await multibox.add({ id: "cam", url, loop: true, model: "side@3" })).status).toBe(201);
  expect(await remove("side", 3)).toEqual(IN_USE);
  expect((await multibox.ask("/v1/streams/cam", { method: "DELETE" })).status).toBe(204);
  expect(await remove("side", 3)).toEqual(DELETED);
  expect(existsSync(join(dataDir, "models/side/3"))).toBe(false);
});

test("a model of streams changes its version, also where its only stream is removed meanwhile", async () => {
  const url = await demoClip(testCacheDir());
  expect((await multibox.add({ id: "cam", url, loop: true, model: "side" })).status).toBe(201);
  await multibox.streamOnce("cam", ({ counts }) => counts.detected > 0);
  const both = await Promise.all([activate("side", 2), outcome(multibox.ask("/v1/streams/cam", { method: "DELETE" }))]);
  expect(both).toEqual([ACTIVATED, DELETED]);
  expect((await modelOf("side")).inUse).toEqual({ version: 2, previous: 1 });
  const client = await multibox.connect("*");
  expect((await multibox.add({ id: "cam", url, loop: true, model: "side" })).status).toBe(201);
  await until(() => client.detections().length > 0);
  expect(client.detections()[0]!.model).toEqual({ name: "side", version: "2" });
});
