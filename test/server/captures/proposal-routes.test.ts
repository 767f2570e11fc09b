// Proposals over HTTP: what a run changes and leaves alone, what is refused and why, who sees what of it, and how it ends.
import { renameSync } from "node:fs";
import { expect, test } from "vitest";
import { MultiboxError } from "../../../src/errors.ts";
import { createToken } from "../../../src/server/access/token-table.ts";
import type { ProposalEvent } from "../../../src/server/captures/proposal-events.ts";
import type { ProposalRunner, ProposalsLook } from "../../../src/server/captures/proposals.ts";
import type { Capture } from "../../../src/training/capture.ts";
import { randomBundle } from "../../model/support/random-bundle.ts";
import { smallSpec } from "../../model/support/small-spec.ts";
import { memoryStore } from "../../support/memory-store.ts";
import { jsonOf, type TestSetup, withApp } from "../../support/test-server.ts";
import { capture } from "./support/capture.ts";

const PATH = "/v1/captures/proposals";
const BOX: [number, number, number, number] = [1, 2, 30, 20];
const unreviewed: Partial<Capture> = {
  status: "new",
  proposed: [{ bbox: BOX, score: 0.5, label: "red" }],
  objects: [{ bbox: BOX, label: "red" }],
};

type Ask = (path: string, init?: RequestInit) => Promise<Response>;
const post = (ask: Ask, body: object = {}, path = PATH, headers: object = {}): Promise<Response> =>
  ask(path, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });

interface Started {
  readonly look: ProposalsLook;
  readonly signal: AbortSignal;
  readonly tell: (event: Pick<ProposalEvent, "event" | "id"> & Partial<ProposalEvent>) => void;
  readonly end: (error?: Error) => void;
}

/** Runs that the test plays the child process of. */
function scripted(): { readonly runs: Started[]; readonly runProposals: ProposalRunner } {
  const runs: Started[] = [];
  const runProposals: ProposalRunner = (look, signal, onEvent) =>
    new Promise((resolve, reject) => {
      signal.addEventListener("abort", () => reject(new MultiboxError("JOB_DIED", "It was ended by SIGTERM.")));
      const tell: Started["tell"] = (event) => onEvent({ done: 0, total: 0, ...event } as ProposalEvent);
      runs.push({ look, signal, tell, end: (error) => (error ? reject(error) : resolve()) });
    });
  return { runs, runProposals };
}

const keep = ({ captures }: Pick<TestSetup, "captures">, id: string, changes: object = {}): Promise<void> =>
  captures.add(capture(id, { ...unreviewed, ...changes }), new Uint8Array(3));
const found = (id: string, count = 2): Parameters<Started["tell"]>[0] => ({
  event: "proposed",
  id,
  model: { name: "better", version: "2" },
  proposed: Array.from({ length: count }, (_, i) => ({ bbox: [i, 0, 5, 5], score: 0.9, label: "red" })),
});
const stateOf = async (ask: Ask, headers: Record<string, string> = {}): Promise<Record<string, unknown>> =>
  jsonOf(await ask(PATH, { headers }));

test("what is found replaces proposals that nobody has reviewed; what is reviewed or deleted meanwhile is left alone", async () => {
  const { runs, runProposals } = scripted();
  await withApp({ runProposals }, async ({ ask, ...setup }) => {
    expect(await stateOf(ask)).toEqual({ state: "idle" });
    for (const id of ["a", "b", "c", "d", "e", "f"]) await keep(setup, id);
    await keep(setup, "accepted", { status: "accepted" });
    await keep(setup, "corrected", { objects: [] });
    const answer = await post(ask, { regions: "3x2", labels: ["red"], minScore: 0.2 });
    expect([answer.status, await jsonOf(answer)]).toEqual([
      202,
      expect.objectContaining({
        state: "running",
        model: "red-finder@0",
        regions: "3x2",
        total: 6,
        done: 0,
        captures: 0,
      }),
    ]);
    const [{ look, tell, end }] = runs as [Started];
    expect(look).toEqual({ model: "red-finder@0", regions: "3x2", labels: ["red"], minScore: 0.2 });

    tell(found("a"));
    await expect.poll(async () => stateOf(ask)).toMatchObject({ done: 1, captures: 1, boxesBefore: 1, boxes: 2 });
    await ask("/v1/captures/b", {
      method: "PATCH",
      headers: { "content-type": "application/json" },
      body: `{"objects":[]}`,
    });
    await ask("/v1/captures/c", { method: "DELETE" });
    await ask("/v1/captures/e", { method: "DELETE" });
    await keep(setup, "later");
    tell(found("b"));
    tell(found("c"));
    tell({ event: "unreadable", id: "d", message: "d: it is damaged." });
    tell({ event: "unreadable", id: "e", message: "e: ENOENT" });
    // They were not there, or reviewed, when the run started.
    for (const id of ["later", "accepted", "unknown"]) tell(found(id));
    tell({ event: "reviewed", id: "corrected" });
    end();
    await expect.poll(async () => (await stateOf(ask))["state"]).toBe("done");
    expect(await stateOf(ask)).toEqual({
      state: "done",
      model: "red-finder@0",
      regions: "3x2",
      total: 6,
      done: 6,
      captures: 1,
      boxesBefore: 1,
      boxes: 2,
      reviewed: 3,
      failed: 2,
      failures: ["d: it is damaged.", expect.stringMatching(/^f: its file/)],
      started: expect.any(String) as string,
      ended: expect.any(String) as string,
    });
    const { captures } = setup;
    expect(captures.get("a")).toMatchObject({ status: "new", model: { name: "better" }, objects: { length: 2 } });
    expect(captures.get("b")).toMatchObject({ objects: [], model: { name: "red-finder" } });
    for (const id of ["later", "accepted"]) expect(captures.get(id)).toMatchObject({ model: { name: "red-finder" } });
  });
});

test("one run at a time; a cancelled one keeps what it has changed, and another can be asked for", async () => {
  const { runs, runProposals } = scripted();
  await withApp({ runProposals }, async ({ ask, ...setup }) => {
    for (const id of ["a", "b"]) await keep(setup, id);
    const both = await Promise.all([post(ask), post(ask)]);
    expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([202, 409]);
    expect(await jsonOf(await post(ask))).toMatchObject({ code: "PROPOSALS_RUNNING", status: 409 });
    const [{ tell }] = runs as [Started];
    tell(found("a", 0));
    await expect.poll(async () => (await stateOf(ask))["captures"]).toBe(1);
    const cancelled = await post(ask, {}, `${PATH}/cancel`);
    expect([cancelled.status, await jsonOf(cancelled)]).toEqual([
      200,
      expect.objectContaining({ state: "cancelled", total: 2, done: 1, captures: 1, boxes: 0 }),
    ]);
    // What the child process had still sent comes too late.
    tell(found("b"));
    expect(await jsonOf(await post(ask, {}, `${PATH}/cancel`))).toMatchObject({ state: "cancelled", done: 1 });
    expect(setup.captures.get("b").model.name).toBe("red-finder");
    expect((await post(ask, { regions: "1x1" })).status).toBe(202);
    expect(runs[1]!.look.regions).toBe("1x1");
  });
});

test("what cannot be is refused with its reason", async () => {
  await withApp({}, async ({ ask, ...setup }) => {
    const refusal = async (body: object): Promise<unknown[]> => {
      const answer = await post(ask, body);
      const { code, detail } = await jsonOf(answer);
      return [answer.status, code, detail];
    };
    const matching = (text: RegExp): unknown => expect.stringMatching(text);
    expect(await refusal({})).toEqual([409, "NO_UNREVIEWED_CAPTURES", "There are no captures here yet."]);
    await keep(setup, "a", { status: "skipped" });
    expect(await refusal({})).toEqual([409, "NO_UNREVIEWED_CAPTURES", matching(/Of 1 capture each has been reviewed/)]);
    await keep(setup, "b");
    expect(await refusal({ stream: "door" })).toEqual([409, "NO_UNREVIEWED_CAPTURES", matching(/no captures here/)]);
    expect(await refusal({ model: "wolf" })).toEqual([404, "MODEL_UNKNOWN", matching(/"wolf"/)]);
    expect(await refusal({ model: "red-finder@7" })).toEqual([404, "VERSION_UNKNOWN", matching(/version 7/)]);
    expect(await refusal({ labels: ["wolf"] })).toEqual([400, "LABEL_UNKNOWN", matching(/"wolf"/)]);
    for (const regions of ["0x1", "9x1", "3", "3x", "-1x2", "3x2x1", "3x2\n", "999999999999x1"])
      expect(await refusal({ regions })).toEqual([400, "BAD_REQUEST", matching(/regions/)]);
    for (const body of [{ model: "../secret" }, { model: "--help" }, { labels: [] }, { labels: ["a\u0000b"] }])
      expect(await refusal(body)).toEqual([400, "BAD_REQUEST", matching(/model|labels/)]);
    for (const body of [{ minScore: 2 }, { minScore: "0.5" }, { stream: "--out" }, { speed: 1 }])
      expect(await refusal(body)).toEqual([400, "BAD_REQUEST", matching(/minScore|stream|speed/)]);
    expect(await stateOf(ask)).toEqual({ state: "idle" });
  });
});

test("a run that cannot write ends with the reason; so does one whose child process fails", async () => {
  const { runs, runProposals } = scripted();
  await withApp({ runProposals }, async ({ ask, captures }) => {
    await keep({ captures }, "a");
    await post(ask);
    runs[0]!.end(new MultiboxError("MODEL_NOT_FOUND", "There is no model in x.", "Fetch it."));
    await expect
      .poll(async () => stateOf(ask))
      .toMatchObject({
        state: "failed",
        done: 0,
        error: { code: "MODEL_NOT_FOUND", message: "There is no model in x." },
      });
    await post(ask);
    renameSync(captures.folder, `${captures.folder}-away`);
    try {
      runs[1]!.tell(found("a"));
      await expect
        .poll(async () => stateOf(ask))
        .toMatchObject({ state: "failed", error: { code: "FOLDER_UNAVAILABLE" } });
      expect(runs[1]!.signal.aborted).toBe(true);
      expect(await jsonOf(await post(ask))).toMatchObject({ status: 503, code: "FOLDER_UNAVAILABLE" });
    } finally {
      renameSync(`${captures.folder}-away`, captures.folder);
    }
  });
});

test("images that cannot be read because their folder is gone end the run with that reason, not each with its own", async () => {
  const { runs, runProposals } = scripted();
  await withApp({ runProposals }, async ({ ask, captures }) => {
    await keep({ captures }, "a");
    const endings: ((run: Started) => void)[] = [
      ({ tell }) => tell({ event: "unreadable", id: "a", message: "a: ENOENT" }),
      ({ end }) => end(),
    ];
    for (const [i, ending] of endings.entries()) {
      await post(ask);
      renameSync(captures.folder, `${captures.folder}-away`);
      try {
        ending(runs[i]!);
        await expect
          .poll(async () => stateOf(ask))
          .toMatchObject({ state: "failed", failed: 0, error: { code: "FOLDER_UNAVAILABLE" } });
      } finally {
        renameSync(`${captures.folder}-away`, captures.folder);
      }
    }
  });
});

test("a request that is being answered while the server ends starts no child process", async () => {
  const { runs, runProposals } = scripted();
  await withApp({ runProposals }, async ({ ask, proposals, ...setup }) => {
    await keep(setup, "a");
    await proposals.close();
    expect((await post(ask)).status).toBe(202);
    await expect.poll(async () => stateOf(ask)).toMatchObject({ state: "cancelled", done: 0 });
    expect(runs).toEqual([]);
  });
});

test("a caller who sees some streams gets proposals for these, and the numbers of these", async () => {
  const { runs, runProposals } = scripted();
  const store = memoryStore();
  const bearer = (name: string, scope: "read" | "write", streams?: string[]): Record<string, string> => ({
    authorization: `Bearer ${createToken(store.db, { name, scope, ...(streams && { streams }) }).token}`,
  });
  const [owner, mine, other] = [
    bearer("owner", "write"),
    bearer("mine", "write", ["yard"]),
    bearer("other", "write", ["x"]),
  ];
  const reader = bearer("reader", "read");
  await withApp({ runProposals, deps: { store } }, async ({ ask, ...setup }) => {
    await keep(setup, "a");
    await keep(setup, "b", { stream: "door" });
    for (const path of [PATH, `${PATH}/cancel`])
      expect(await jsonOf(await post(ask, {}, path, reader))).toMatchObject({ status: 403, code: "SCOPE_MISSING" });
    expect(await jsonOf(await post(ask, {}, PATH, other))).toMatchObject({ code: "NO_UNREVIEWED_CAPTURES" });
    expect(await jsonOf(await post(ask, {}, PATH, mine))).toMatchObject({ state: "running", total: 1 });
    expect(runs[0]!.look.streams).toEqual(["yard"]);
    expect(await stateOf(ask, other)).toEqual({ state: "idle" });
    expect(await jsonOf(await post(ask, {}, `${PATH}/cancel`, other))).toEqual({ state: "idle" });
    expect(await jsonOf(await post(ask, {}, `${PATH}/cancel`, mine))).toMatchObject({ state: "cancelled" });

    await post(ask, {}, PATH, owner);
    expect(runs[1]!.look.streams).toBeUndefined();
    runs[1]!.tell({ event: "unreadable", id: "b", message: "b: it is damaged." });
    await expect
      .poll(async () => stateOf(ask, owner))
      .toMatchObject({ total: 2, done: 1, failures: ["b: it is damaged."] });
    expect(await stateOf(ask, mine)).toMatchObject({ state: "running", total: 1, done: 0, failed: 0, failures: [] });
    const limited = await post(ask, {}, `${PATH}/cancel`, mine);
    expect(await jsonOf(limited)).toMatchObject({ status: 403, code: "STREAMS_LIMITED" });
    expect((await stateOf(ask, reader))["state"]).toBe("running");
  });
  await store.close();
});

test("a version that makes proposals cannot be deleted until they are made", async () => {
  const { runs, runProposals } = scripted();
  await withApp({ runProposals }, async ({ ask, versions, ...setup }) => {
    const facts = { created: "2026-01-01T12:00:00.000Z", parent: "red-finder@0", settings: {}, offered: true };
    const figures = { metrics: { AP: 0.5 }, parentMetrics: { AP: 0.4 }, data: { hash: "abc", pictures: 9 } };
    const { version, labels } = await versions.add("red-finder", randomBundle(smallSpec()), { ...facts, ...figures });
    const model = `red-finder@${version}`;
    await keep(setup, "a");
    expect(await jsonOf(await post(ask, { model, labels: ["no such label"] }))).toMatchObject({
      code: "LABEL_UNKNOWN",
    });
    expect(await jsonOf(await post(ask, { model, labels: [labels[0]!] }))).toMatchObject({ state: "running", model });
    expect(runs[0]!.look.model).toBe(model);
    const path = `/v1/models/red-finder/versions/${version}`;
    const refused = await ask(path, { method: "DELETE" });
    expect(await jsonOf(refused)).toMatchObject({ status: 409, code: "VERSION_IN_USE" });
    await post(ask, {}, `${PATH}/cancel`);
    expect((await ask(path, { method: "DELETE" })).status).toBe(204);
  });
});

test("the agreement is that of the accepted captures that the caller sees", async () => {
  await withApp({}, async ({ ask, ...setup }) => {
    const path = "/v1/captures/agreement";
    const none = { captures: 0, unchanged: 0, proposals: 0, kept: 0, moved: 0, removed: 0, added: 0 };
    expect(await jsonOf(await ask(path))).toEqual(none);
    await keep(setup, "a", { status: "accepted" });
    await keep(setup, "b", { status: "accepted", objects: [] });
    await keep(setup, "c");
    const sum = { ...none, captures: 2, unchanged: 1, proposals: 2, kept: 1, removed: 1 };
    expect(await jsonOf(await ask(path))).toEqual(sum);
    await setup.captures.change("b", { status: "skipped" });
    expect(await jsonOf(await ask(path))).toEqual({ ...sum, captures: 1, proposals: 1, removed: 0 });
  });
});
