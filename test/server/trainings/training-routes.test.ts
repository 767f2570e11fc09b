// Trainings over HTTP and the WebSocket: what they are of, what is refused and why, one at a time, broken off, told of.
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { MultiboxError } from "../../../src/errors.ts";
import { openDataset } from "../../../src/training/dataset.ts";
import type { Capture } from "../../../src/training/capture.ts";
import type { TrainingInfo } from "../../../src/server/trainings/training-schemas.ts";
import type { TrainingEvent } from "../../../src/server/protocol.ts";
import type { TrainingWork } from "../../../src/server/trainings/trainings.ts";
import { capture } from "../captures/support/capture.ts";
import { makeFolder } from "../../support/ffmpeg.ts";
import { SocketClient } from "../../support/socket-client.ts";
import { jsonOf, type TestSetup, withApp, withServer } from "../../support/test-server.ts";

const keep = ({ captures }: TestSetup, one: Capture): Promise<void> => captures.add(one, new Uint8Array(one.bytes));

const body = (value: object): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify(value),
});

test("a training is of the captures that were accepted, as they were when it was asked for", async () => {
  const works: TrainingWork[] = [];
  const runTraining = async (work: TrainingWork): Promise<object> => {
    works.push(work);
    const { pictures } = await openDataset({ folder: join(work.folder, "captures") });
    return { metrics: { objects: pictures.flatMap(({ objects }) => objects).length } };
  };
  await withApp({ runTraining }, async ({ ask, trainings, ...setup }) => {
    for (const id of ["a", "b"]) await keep({ ...setup, trainings }, capture(id));
    await keep({ ...setup, trainings }, capture("c", { status: "skipped" }));
    const answer = await ask("/v1/trainings", body({ name: "yard", settings: { epochs: 3, freeze: "none" } }));
    expect([answer.status, await answer.clone().text()]).toEqual([202, expect.any(String)]);
    const training = (await answer.json()) as TrainingInfo;
    expect(answer.headers.get("location")).toBe(`/v1/trainings/${training.id}`);
    expect(training).toMatchObject({ state: "queued", name: "yard", from: "red-finder@0", captures: 2 });
    expect(training.settings).toMatchObject({ epochs: 3, freeze: "none", batch: 8 });
    expect(training.settings["threads"]).toBeGreaterThan(0);
    await setup.captures.change("a", { objects: [] });
    await setup.captures.remove("b");
    trainings.open();
    await expect.poll(() => trainings.get(training.id).state, { timeout: 20_000 }).toBe("done");
    expect(trainings.get(training.id).metrics).toEqual({ objects: 2 });
    await expect.poll(() => existsSync(trainings.folderOf(training.id)), { timeout: 20_000 }).toBe(false);
  });
});

test("what cannot be trained is refused with its reason, and nothing of it is left", async () => {
  const folder = await makeFolder();
  try {
    writeFileSync(join(folder.path, "a.json"), "{}");
    await withApp({ config: { fileRoots: [folder.path] } }, async (setup) => {
      const refusal = async (value: object): Promise<unknown[]> => {
        const answer = await setup.ask("/v1/trainings", body(value));
        const { code, detail } = await jsonOf(answer);
        return [answer.status, code, detail];
      };
      const matching = (text: RegExp): unknown => expect.stringMatching(text);
      expect(await refusal({})).toEqual([409, "NO_ACCEPTED_CAPTURES", "There are no captures yet."]);
      await keep(setup, capture("a", { status: "new" }));
      expect(await refusal({})).toEqual([409, "NO_ACCEPTED_CAPTURES", matching(/Of 1 capture none has been accepted/)]);
      expect(await refusal({ from: "wolf" })).toEqual([404, "MODEL_UNKNOWN", matching(/"wolf"/)]);
      expect(await refusal({ from: "red-finder@7" })).toEqual([404, "VERSION_UNKNOWN", matching(/version 7/)]);
      expect(await refusal({ from: "../secret" })).toEqual([400, "BAD_REQUEST", matching(/from/)]);
      expect(await refusal({ name: "a/b" })).toEqual([400, "BAD_REQUEST", matching(/name/)]);
      for (const settings of [{ epochs: 0 }, { epochs: 5000 }, { labels: ["a,b"] }, { labels: ["all"] }, { speed: 1 }])
        expect(await refusal({ settings })).toEqual([400, "BAD_REQUEST", matching(/settings|speed/)]);
      expect(await refusal({ data: "/etc" })).toEqual([403, "FILE_NOT_ALLOWED", matching(/"\/etc"/)]);
      const [none, file] = [join(folder.path, "none"), join(folder.path, "a.json")];
      expect(await refusal({ data: none })).toEqual([400, "FILE_NOT_FOUND", matching(/no folder/)]);
      expect(await refusal({ data: folder.path, replay: file })).toEqual([400, "FILE_NOT_FOUND", matching(/a\.json/)]);
      expect(setup.trainings.list()).toEqual([]);
      const { status } = await setup.ask("/v1/trainings", body({ data: folder.path }));
      expect([status, setup.trainings.list()[0]]).toMatchObject([202, { data: folder.path, name: "red-finder" }]);
    });
  } finally {
    await folder.remove();
  }
});

test("one that has failed keeps all that it has left, over a restart too, is gone on with, and is deleted with it", async () => {
  let isMended = false;
  const seen: string[][] = [];
  const runTraining = async ({ folder, onChange }: TrainingWork): Promise<object> => {
    seen.push(readdirSync(folder).sort());
    writeFileSync(join(folder, "checkpoint"), "");
    onChange({ bestEpoch: 3 });
    await Promise.resolve();
    if (!isMended) throw new MultiboxError("DISK_FULL", "There is no space left.", "Make some.");
    return { version: 5 };
  };
  await withApp({ runTraining }, async (setup) => {
    const { ask, trainings } = setup;
    await keep(setup, capture("a"));
    const make = async (): Promise<string> => String((await jsonOf(await ask("/v1/trainings", body({}))))["id"]);
    const become = (id: string, state: string, of = trainings): Promise<unknown> =>
      expect.poll(() => of.get(id).state, { timeout: 20_000 }).toBe(state);
    const resume = (id: string): Promise<Response> => ask(`/v1/trainings/${id}/resume`, { method: "POST" });
    trainings.open();
    const [one, other] = [await make(), await make()];
    for (const id of [one, other]) await become(id, "failed");
    expect(trainings.get(one)).toMatchObject({ error: { code: "DISK_FULL", hint: "Make some." }, bestEpoch: 3 });
    expect(await jsonOf(await resume(one))).toMatchObject({ state: expect.stringMatching(/queued|running/) as string });
    await become(one, "failed");
    // The next server.
    await trainings.load();
    isMended = true;
    expect((await resume(one)).status).toBe(202);
    await become(one, "done");
    expect(trainings.get(one)).toMatchObject({ version: 5 });
    expect(trainings.get(one)).not.toHaveProperty("error.code");
    expect(seen).toEqual([["captures"], ["captures"], ["captures", "checkpoint"], ["captures", "checkpoint"]]);
    await expect.poll(() => existsSync(trainings.folderOf(one)), { timeout: 20_000 }).toBe(false);
    expect([(await resume(one)).status, await jsonOf(await resume(one))]).toMatchObject([
      409,
      { code: "TRAINING_NOT_RESUMABLE" },
    ]);
    expect((await resume("none")).status).toBe(404);
    expect(existsSync(join(trainings.folderOf(other), "checkpoint"))).toBe(true);
    await trainings.remove(other);
    expect(existsSync(trainings.folderOf(other))).toBe(false);
  });
});

test("one runs while others wait; each is cancelled, twice too, and deleted; so many are kept", async () => {
  await withServer({}, async (setup) => {
    const { trainings, socketUrl, url } = setup;
    const ask = (path: string, init?: RequestInit): Promise<Response> => fetch(new URL(path, url), init);
    const client = await SocketClient.open(socketUrl);
    expect(await client.ask({ type: "watch", topics: ["trainings"] })).toMatchObject({ ok: true });
    await keep(setup, capture("a"));
    trainings.open();
    const make = (): Promise<Response> => ask("/v1/trainings", body({}));
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) ids.push(String((await jsonOf(await make()))["id"]));
    expect(trainings.list().map(({ state }) => state)).toEqual(["queued", "queued", "running"]);
    expect([(await make()).status, await jsonOf(await make())]).toMatchObject([507, { code: "TRAININGS_FULL" }]);
    const cancel = async (id: string): Promise<unknown> =>
      (await jsonOf(await ask(`/v1/trainings/${id}/cancel`, { method: "POST" })))["state"];
    expect(await Promise.all([cancel(ids[0]!), cancel(ids[0]!)])).toEqual(["cancelled", "cancelled"]);
    expect([await cancel(ids[0]!), await cancel(ids[2]!)]).toEqual(["cancelled", "cancelled"]);
    await expect.poll(() => trainings.get(ids[1]!).state, { timeout: 20_000 }).toBe("running");
    expect(await jsonOf(await ask(`/v1/trainings/${ids[1]}`))).toMatchObject({ state: "running", history: [] });
    expect((await (await ask("/v1/trainings?state=cancelled")).json()) as object[]).toHaveLength(2);
    expect(await jsonOf(await ask(`/v1/trainings/${ids[1]}/report`))).toMatchObject({ code: "RESULT_UNKNOWN" });
    expect((await ask(`/v1/trainings/${ids[1]}`, { method: "DELETE" })).status).toBe(204);
    expect(await jsonOf(await ask(`/v1/trainings/${ids[1]}`))).toMatchObject({ code: "TRAINING_UNKNOWN" });
    await client.until((message) => message.type === "training" && message.training === undefined);
    const events = client.messages.filter((message): message is TrainingEvent => message.type === "training");
    const statesOf = (id: string): unknown[] => events.filter((event) => event.id === id).map((e) => e.training?.state);
    expect(statesOf(ids[1]!)).toEqual(["queued", "running", "cancelled", undefined]);
  });
});
