// A server that is killed while it writes, and a disk that is full: the database opens, streams and numbers go on, the history has no hole.
import { cpSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { historyPath } from "../../../src/server/history/history-port.ts";
import { HistoryStore } from "../../../src/server/history/history-store.ts";
import { numberOf, openDatabase } from "../../../src/server/database/sqlite.ts";
import { storePath } from "../../../src/server/database/store.ts";
import { tinyDisk } from "../../model/support/tiny-disk.ts";
import { expectUnharmed, withFaultyStream } from "../../support/faulty-stream.ts";
import { makeFolder } from "../../support/ffmpeg.ts";
import { startMultibox, withMultibox } from "../../support/multibox.ts";
import { until } from "../../support/processes.ts";
import { startRtspServer, type RtspServer } from "../../support/rtsp-server.ts";

const IDS = ["a", "b"];

describe("a server that is killed in the midst of writes", () => {
  let camera: RtspServer;
  let folder: Awaited<ReturnType<typeof makeFolder>>;
  beforeAll(async () => {
    camera = await startRtspServer({ paths: { "/a": { fps: 10 }, "/b": { fps: 7 } } });
    folder = await makeFolder();
  });
  afterAll(async () => {
    await camera.close();
    await folder.remove();
  });

  it("has its streams and its numbers again, and a history without holes", { timeout: 180_000 }, async () => {
    const dataDir = join(folder.path, "data");
    /** By run and stream: the numbers that a client was told. */
    const told: Record<string, number[]>[] = [];
    for (const moment of [0, 90, 210]) {
      const multibox = await startMultibox(["--no-demo"], { MULTIBOX_DATA_DIR: dataDir });
      try {
        const client = await multibox.connect("*");
        if (told.length === 0) for (const id of IDS) await multibox.add({ id, url: camera.url(`/${id}`) });
        expect((await multibox.streams()).map(({ id }) => id)).toEqual(IDS);
        await until(() => IDS.every((id) => client.detections(id).length > 30));
        await sleep(moment);
        await multibox.stop("SIGKILL");
        told.push(Object.fromEntries(IDS.map((id) => [id, client.detections(id).map(({ seq }) => seq)])));
      } finally {
        await multibox.stop("SIGKILL");
      }
    }
    for (const path of [storePath(dataDir), historyPath(dataDir)]) expect(integrityOf(path)).toBe("ok");
    const history = new HistoryStore(historyPath(dataDir));
    try {
      for (const id of IDS) {
        const kept = history.read(id, -1, 10_000).map(({ seq }) => seq);
        expect(kept).toEqual([...new Set(kept)].toSorted((x, y) => x - y));
        for (const [run, seqs] of told.map((byStream) => byStream[id]!).entries()) {
          // Each run's numbers lie beyond those of the last one, and what is missing is what came last.
          expect(seqs[0]!).toBeGreaterThan(told[run - 1]?.[id]?.at(-1) ?? -1);
          const there = seqs.filter((seq) => kept.includes(seq));
          expect(there.length).toBeGreaterThan(0);
          expect(there).toEqual(seqs.slice(0, there.length));
        }
      }
      // What is counted by the minute is what there is.
      const counted = numberOf(history.db, "SELECT sum(frames) FROM minutes WHERE label = 0");
      expect(counted).toBe(numberOf(history.db, "SELECT count(*) FROM frames"));
    } finally {
      history.close();
    }
  });
});

const disk = tinyDisk(16);
afterAll(() => disk?.unmount());

describe.skipIf(!disk)("a full disk (needs the right to mount one)", () => {
  it("stops no stream; the history is written again when there is room", { timeout: 180_000 }, async () => {
    const dataDir = disk!.path;
    let last = -1;
    const env = { MULTIBOX_DATA_DIR: dataDir };
    await withMultibox(
      ["--no-demo"],
      async (multibox) => {
        await withFaultyStream(multibox, { id: "cam", paths: { "/cam1": { fps: 10 } } }, async (stream) => {
          const { since } = await stream.becomes("live");
          await stream.detects(20);
          const filler = join(dataDir, "filler");
          fill(filler);
          await until(() => multibox.stderr.includes("the history is not written"));
          await stream.detects(50);
          await expectUnharmed(stream, since);
          rmSync(filler);
          await until(() => multibox.stderr.includes("the history is written again"));
          await stream.detects(20);
          last = stream.client.detections().at(-1)!.seq;
          await expectUnharmed(stream, since);
        });
        expect(await multibox.stop()).toMatchObject({ code: 0 });
      },
      env,
    );
    // Read elsewhere: libsql holds its files until this process ends, and the disk with them.
    const copy = await makeFolder();
    cpSync(dataDir, copy.path, { recursive: true });
    const history = new HistoryStore(historyPath(copy.path));
    const kept = history.read("cam", -1, 10_000).map(({ seq }) => seq);
    history.close();
    await copy.remove();
    expect(kept).toEqual(kept.map((_, i) => i));
    expect(kept.length).toBeGreaterThanOrEqual(last);
  });
});

/** Writes until nothing more goes on the disk, in pieces down to a byte. */
function fill(path: string): void {
  for (let bytes = 1024 * 1024; bytes >= 1; bytes = bytes > 1 ? bytes / 32 : 0) {
    try {
      for (;;) writeFileSync(path, Buffer.alloc(bytes), { flag: "a" });
    } catch {
      // A smaller piece may still go.
    }
  }
}

function integrityOf(path: string): string {
  const db = openDatabase(path);
  const [said] = db.prepare("PRAGMA integrity_check").raw().get() as [string];
  db.close();
  return said;
}
