// Streams over a restart: what was done over the API is there again, what the settings say is theirs.
import { pino } from "pino";
import { describe, expect, test } from "vitest";
import type { StreamConfig } from "../../../src/pipeline/stream.ts";
import { ConfiguredStreams } from "../../../src/server/streams/configured-streams.ts";
import { KeptStreams } from "../../../src/server/streams/kept-streams.ts";
import { StreamChanges } from "../../../src/server/streams/stream-changes.ts";
import { type MemoryStore, memoryStore } from "../../support/memory-store.ts";
import { ScriptedPipeline } from "../../support/scripted-pipeline.ts";

const camera = (id: string): StreamConfig => ({
  id,
  url: `rtsp://user:p@ss/word@camera/${id}`,
  loop: true,
  transport: "tcp",
});
const file = (id: string): StreamConfig => ({ id, url: "/videos/a.mp4", loop: false, transport: "tcp" });

interface Life {
  readonly pipeline: ScriptedPipeline;
  readonly changes: StreamChanges;
  readonly log: string[];
  /** In the order in which they run. */
  readonly ids: () => string[];
  readonly end: () => Promise<void>;
}

/** A server's life: the streams of its settings, then the kept ones. */
async function live(store: MemoryStore, configured: readonly StreamConfig[] = [], fileRoots = ["/"]): Promise<Life> {
  const log: string[] = [];
  const pipeline = new ScriptedPipeline();
  const keeper = new KeptStreams({
    store,
    logger: pino({}, { write: (line: string) => void log.push(line) }),
    isConfigured: (id) => configured.some((stream) => stream.id === id),
  });
  const kept = await keeper.load({ fileRoots });
  const changes = new StreamChanges({ pipeline, keeper });
  const following = changes.follow();
  await changes.startAll([...configured.map((config) => ({ config })), ...kept]);
  return {
    pipeline,
    changes,
    log,
    ids: () => pipeline.list().map(({ config }) => config.id),
    end: async () => {
      following.unsubscribe();
      await changes.idle();
    },
  };
}

async function withStore(run: (store: MemoryStore) => Promise<void>): Promise<void> {
  const store = memoryStore();
  try {
    await run(store);
  } finally {
    await store.close();
  }
}

describe("after a restart", () => {
  test("streams that were added are there again, as they were last, and removed ones are not", async () => {
    await withStore(async (store) => {
      const first = await live(store);
      for (const id of ["z", "a", "m"]) await first.changes.add(camera(id));
      await first.changes.change("a", { maxFps: 5, labels: ["car"] });
      await first.changes.change("m", { paused: true });
      await first.changes.remove("z");
      await first.end();
      const second = await live(store);
      expect(second.ids()).toEqual(["a", "m"]);
      expect(second.pipeline.status("a").config).toEqual({ ...camera("a"), maxFps: 5, labels: ["car"] });
      expect(second.pipeline.status("m").config.paused).toBe(true);
      await second.changes.change("m", { paused: null });
      await second.end();
      expect((await live(store)).pipeline.status("m").config).toEqual(camera("m"));
    });
  });

  test("streams of the settings are as the settings have them, whatever was done to them", async () => {
    await withStore(async (store) => {
      const first = await live(store, [camera("door"), camera("yard")]);
      await first.changes.change("door", { paused: true });
      await first.changes.remove("yard");
      await first.end();
      const second = await live(store, [camera("door"), camera("yard")]);
      expect(second.pipeline.list().map(({ config }) => config)).toEqual([camera("door"), camera("yard")]);
      await second.end();
      expect((await live(store)).ids()).toEqual([]);
    });
  });

  test("a kept stream stands back while the settings have one of its name", async () => {
    await withStore(async (store) => {
      const first = await live(store);
      await first.changes.add(camera("door"));
      await first.end();
      const mine = { ...camera("door"), maxFps: 1 };
      const second = await live(store, [mine]);
      expect(second.pipeline.status("door").config).toEqual(mine);
      await second.end();
      expect((await live(store)).pipeline.status("door").config).toEqual(camera("door"));
    });
  });

  test("and comes back as soon as they have none, as it was kept", async () => {
    await withStore(async (store) => {
      const first = await live(store);
      for (const id of ["door", "yard"]) await first.changes.add({ ...camera(id), priority: 2 });
      await first.end();
      const pipeline = new ScriptedPipeline();
      const keeper = new KeptStreams({ store, logger: pino(), isConfigured: (id) => configured.has(id) });
      const changes = new StreamChanges({ pipeline, keeper });
      const configured: ConfiguredStreams = new ConfiguredStreams(changes, (ids) =>
        keeper.behind({ fileRoots: [] }, ids),
      );
      await configured.match([camera("door"), camera("yard"), camera("gate")]);
      await changes.remove("yard");
      const matched = await configured.match([]);
      expect(matched).toEqual({ added: ["yard"], changed: ["door"], removed: ["gate"] });
      const kept = ["door", "yard"].map((id) => ({ ...camera(id), priority: 2 }));
      expect(pipeline.list().map(({ config }) => config)).toEqual(kept);
      expect(configured.has("door")).toBe(false);
      await changes.remove("door");
      expect((await live(store)).ids()).toEqual(["yard"]);
    });
  });

  test("a file that was played to its end is not played again, one that failed is", async () => {
    await withStore(async (store) => {
      const first = await live(store);
      for (const id of ["done", "failed"]) await first.changes.add(file(id));
      first.pipeline.setStatus("done", { state: "ended" });
      first.pipeline.setStatus("failed", { state: "ended", error: new Error("no") as never });
      await first.end();
      expect((await live(store)).ids()).toEqual(["failed"]);
    });
  });

  test("a file outside of today's fileRoots is misconfigured and not started, and so is what cannot be understood", async () => {
    await withStore(async (store) => {
      const first = await live(store);
      await first.changes.add({ ...file("gone"), url: import.meta.filename });
      await first.changes.add(camera("cam"));
      await first.end();
      store.db.prepare("INSERT INTO streams VALUES ('odd', '{', 1)").run();
      const { pipeline, log } = await live(store, [], ["/nowhere"]);
      const states = pipeline.list().map(({ config, state, error }) => [config.id, state, error?.code]);
      expect(new Set(states)).toEqual(
        new Set([
          ["odd", "misconfigured", "STREAM_INVALID"],
          ["gone", "misconfigured", "FILE_NOT_ALLOWED"],
          ["cam", "connecting", undefined],
        ]),
      );
      expect(log.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual([
        expect.stringMatching(/^the stream odd is not started: /),
        expect.stringMatching(/^the stream gone is not started: FILE_NOT_ALLOWED: /),
      ]);
    });
  });

  test("what is stored of a stream that cannot run stays as it is until it is changed", async () => {
    await withStore(async (store) => {
      const json = JSON.stringify({ ...camera("new"), shiny: true });
      store.db.prepare("INSERT INTO streams VALUES ('new', ?, 1)").run(json);
      const stored = (): unknown =>
        JSON.parse((store.db.prepare("SELECT config FROM streams").raw().get() as [string])[0]);
      const { pipeline, changes, end } = await live(store);
      expect(pipeline.status("new").error?.message).toBe(
        'The stored stream "new" cannot be used: "shiny" is not a known field.',
      );
      expect(stored()).toEqual(JSON.parse(json));
      await changes.change("new", { maxFps: 5 });
      expect(stored()).toEqual({ ...camera("new"), maxFps: 5 });
      await end();
    });
  });
});

test("passwords are stored, because cameras want them, and logged nowhere; what cannot be stored is refused", async () => {
  await withStore(async (store) => {
    const { changes, log, ids } = await live(store);
    await changes.add(camera("first"));
    await store.close();
    for (const refused of [changes.add(camera("cam")), changes.change("first", { maxFps: 1 }), changes.remove("first")])
      await expect(refused).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    expect(ids()).toEqual(["first"]);
    expect(log.join()).not.toContain("p@ss");
  });
});
