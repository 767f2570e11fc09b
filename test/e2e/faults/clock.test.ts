// The server's own clock is set forwards and back, as NTP does after a start without a network: nothing but the times that it tells changes.
import { existsSync } from "node:fs";
import { utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { expectUnharmed, withFaultyStream } from "../../support/faulty-stream.ts";
import { makeFolder } from "../../support/ffmpeg.ts";
import { withMultibox } from "../../support/multibox.ts";

/** Debian's package `faketime`. */
const LIBRARY = `/usr/lib/${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu/faketime/libfaketimeMT.so.1`;
const STALL_SECONDS = 8;

describe.skipIf(!existsSync(LIBRARY))("a server whose clock is set (needs libfaketime)", () => {
  it("goes on through hours forwards and back, and still notices a stall", async () => {
    const folder = await makeFolder();
    const offset = join(folder.path, "offset");
    const setClock = async (seconds: number): Promise<void> => {
      await writeFile(offset, `${seconds < 0 ? "" : "+"}${seconds}`);
      // The library looks at the file's time to see whether it is a new one.
      await utimes(offset, Date.now() / 1000, Date.now() / 1000 + seconds);
    };
    await setClock(0);
    const env = {
      LD_PRELOAD: LIBRARY,
      FAKETIME_TIMESTAMP_FILE: offset,
      FAKETIME_NO_CACHE: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
    };
    try {
      await withMultibox(
        ["--no-demo", "--stall-seconds", String(STALL_SECONDS)],
        async (multibox) => {
          await withFaultyStream(multibox, { id: "cam" }, async (stream) => {
            const { since } = await stream.becomes("live");
            const times: number[] = [];
            for (const hours of [0, 5, -5]) {
              await setClock(hours * 3600);
              // Past a look for stalls.
              await sleep(STALL_SECONDS * 1500);
              await stream.detects(3);
              times.push(Date.parse(stream.client.detections().at(-1)!.time) - Date.now());
            }
            // It was set in earnest.
            expect(times.map((ms) => (ms / 3_600_000).toFixed(1).replace("-0.0", "0.0"))).toEqual([
              "0.0",
              "5.0",
              "-5.0",
            ]);
            await expectUnharmed(stream, since);
            stream.camera.stall();
            await stream.becomes("stalled", "STREAM_STALLED");
            stream.camera.resume();
            await stream.becomes("live");
          });
        },
        env,
      );
    } finally {
      await folder.remove();
    }
  });
});
