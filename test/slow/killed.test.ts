// kill -9 in the midst of writes: the databases open, streams come back, and no frame's number comes twice.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { demoClip } from "../../src/demo-clip.ts";
import { historyPath } from "../../src/server/history/history-port.ts";
import { HistoryStore } from "../../src/server/history/history-store.ts";
import { testCacheDir } from "../support/model.ts";
import { startMultibox } from "../support/multibox.ts";

const KILLS = 3;

test("a server that is killed again and again has its streams, whole frames, and numbers that rise", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "multibox-killed-"));
  const clip = await demoClip(testCacheDir());
  const args = ["--no-demo", "--file-roots", join(clip, "..")];
  /** Of the last life: the highest number that a client saw. */
  let seen = -1;
  try {
    for (let life = 0; life <= KILLS; life++) {
      const multibox = await startMultibox(args, { MULTIBOX_DATA_DIR: dataDir });
      try {
        if (life === 0) {
          await multibox.add({ id: "cam", url: clip, loop: true, maxFps: 20 });
          await multibox.add({ id: "still", url: clip, loop: true, paused: true });
        }
        const streams = await multibox.streams();
        expect(streams.map(({ id, settings }) => [id, settings.maxFps, settings.paused])).toEqual([
          ["cam", 20, undefined],
          ["still", undefined, true],
        ]);
        const client = await multibox.connect("cam");
        // Some batches are on the disk, one is being written or waits: a kill comes in their midst.
        await client.until((message) => message.type === "detections" && client.detections().length >= 25 + life);
        const [first] = client.detections();
        expect(first!.seq).toBeGreaterThan(seen);
        expect(first!.seq - seen).toBeLessThan(700);
        seen = client.detections().at(-1)!.seq;
      } finally {
        await multibox.stop("SIGKILL");
      }
      const history = new HistoryStore(historyPath(dataDir));
      try {
        expect(history.db.prepare("PRAGMA integrity_check").raw().get()).toEqual(["ok"]);
        const records = history.read("cam", -1, 100_000);
        expect(records.length).toBeGreaterThan(0);
        expect(records.filter(({ width, detections }) => width !== 1280 || !Array.isArray(detections))).toEqual([]);
        expect(new Set(records.map(({ seq }) => seq)).size).toBe(records.length);
      } finally {
        history.close();
      }
    }
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});
