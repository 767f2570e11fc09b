// The settings' file of a running server: changed in the ways of editors, broken, and read again at SIGHUP.
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { demoClip } from "../../src/demo-clip.ts";
import { makeFolder } from "../support/ffmpeg.ts";
import { testCacheDir } from "../support/model.ts";
import { withMultibox, type Multibox } from "../support/multibox.ts";

const SECRET = "hunter22";

async function saidOnce(multibox: Multibox, words: string | RegExp, after = 0): Promise<void> {
  const end = Date.now() + 20_000;
  while (multibox.stderr.slice(after).search(words) < 0) {
    if (Date.now() > end) throw new Error(`${String(words)} is not in ${multibox.stderr.slice(after)}`);
    await sleep(50);
  }
}

test("streams follow the file, a broken file changes nothing, and SIGHUP undoes what the API did", async () => {
  const folder = await makeFolder();
  try {
    const demo = await demoClip(testCacheDir());
    const file = join(folder.path, "multibox.yaml");
    const away = `url: rtsp://u:${SECRET}@127.0.0.1:9/x, paused: true`;
    await writeFile(file, `streams:\n  - { id: a, url: ${demo}, maxFps: 2 }\n  - { id: b, ${away} }\n`);
    await withMultibox(["--config", file], async (multibox) => {
      const ids = async (): Promise<string[]> => (await multibox.streams()).map(({ id }) => id);
      expect(await ids()).toEqual(["a", "b"]);
      await multibox.add({ id: "mine", url: `rtsp://u:${SECRET}@127.0.0.1:9/y` });
      const { counts } = await multibox.streamOnce("a", (stream) => stream.counts.detected > 0);

      // As most editors save: another file takes the place of this one.
      await writeFile(
        `${file}.new`,
        `fileRoots: [${folder.path}]\nstreams:\n  - { id: a, url: ${demo}, maxFps: 2, labels: [car] }\n  - { id: c, ${away} }\n`,
      );
      await rename(`${file}.new`, file);
      await saidOnce(multibox, /was read again: added c; changed a; removed b/);
      expect(await ids()).toEqual(["a", "mine", "c"]);
      const changed = await multibox.streamOnce("a", (stream) => stream.settings.labels !== undefined);
      expect(changed.counts.detected).toBeGreaterThanOrEqual(counts.detected);
      const missing = await multibox.add({ id: "d", url: join(folder.path, "none.mp4") });
      expect(await missing.json()).toMatchObject({ code: "FILE_NOT_FOUND" });

      // And as others do: the same file, written anew.
      await writeFile(
        file,
        `streams:\n  - { id: a, url: ${demo} }\n  - { id: e, ${away},\n      transport: pigeon }\n`,
      );
      await saidOnce(
        multibox,
        `the settings stay as they are: CONFIG_INVALID: ${file}:4: The setting streams.1.transport`,
      );
      expect(await ids()).toEqual(["a", "mine", "c"]);

      await writeFile(file, `maxBatch: 4\nengine: tfjs:wasm\nstreams:\n  - { id: a, url: ${demo}, maxFps: 2 }\n`);
      await saidOnce(multibox, /only from the next start on: engine, maxBatch/);
      expect(await ids()).toEqual(["a", "mine"]);
      await multibox.ask("/v1/streams/a/pause", { method: "POST" });
      expect((await multibox.streams())[0]).toMatchObject({ state: "paused" });
      const sofar = multibox.stderr.length;
      process.kill(multibox.pid, "SIGHUP");
      await saidOnce(multibox, /was read again: changed a/, sofar);
      await multibox.streamOnce("a", ({ state }) => state === "live");
      expect(multibox.stderr).not.toContain(SECRET);
    });
  } finally {
    await folder.remove();
  }
});
