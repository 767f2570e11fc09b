// The server's own clock is set forwards and back, as NTP does after a start without a network: nothing but the times that it tells changes.
import { existsSync } from "node:fs";
import { utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { CALM, expectUnharmed, withFaultyStream } from "../../support/faulty-stream.ts";
import { makeFolder } from "../../support/ffmpeg.ts";
import { withMultibox } from "../../support/multibox.ts";
import { until } from "../../support/processes.ts";
import { startRtspServer } from "../../support/rtsp-server.ts";

/** Debian's package `faketime`. */
const LIBRARY = `/usr/lib/${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu/faketime/libfaketimeMT.so.1`;
const STALL_SECONDS = 8;
const HOUR = 3600;

describe.skipIf(!existsSync(LIBRARY))("a server whose clock is set (needs libfaketime)", () => {
  it("goes on through hours forwards and back, and still notices a stall", async () => {
    await withFakeClock(async (clock) => {
      await withMultibox(
        ["--no-demo", "--stall-seconds", String(STALL_SECONDS)],
        async (multibox) => {
          await withFaultyStream(multibox, { id: "cam" }, async (stream) => {
            const { since } = await stream.becomes("live");
            const times: number[] = [];
            for (const hours of [0, 5, -5]) {
              await clock.set(hours * HOUR);
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
        clock.env,
      );
    });
  });

  it("lets the right token in when it went back an hour, and keeps history and captures when it went ahead", async () => {
    const camera = await startRtspServer({ paths: CALM });
    const authorization = "Bearer right-token-of-the-server";
    const args = ["--no-demo", "--token", "right-token-of-the-server", "--stream", `cam=${camera.url("/cam1")}`];
    try {
      await withFakeClock(async (clock) => {
        await withMultibox(
          args,
          async (multibox) => {
            const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
              multibox.ask(path, { ...init, headers: { authorization } });
            const firstKept = async (): Promise<number | undefined> => {
              const answer = await ask(`/v1/streams/cam/detections?limit=1`);
              return ((await answer.json()) as { frames: { seq: number }[] }).frames[0]?.seq;
            };
            const detected = async (): Promise<number> => {
              const list = (await (await ask("/v1/streams")).json()) as { counts: { detected: number } }[];
              return list[0]?.counts.detected ?? 0;
            };
            // Of a frame of its own: the same frame captured again is the same capture.
            const capture = async (): Promise<number> => {
              const before = await detected();
              await until(async () => (await detected()) > before + 1);
              return (await ask("/v1/streams/cam/captures", { method: "POST" })).status;
            };
            const captures = async (): Promise<number> =>
              ((await (await ask("/v1/captures")).json()) as { total: number }).total;
            await until(async () => (await detected()) > 20);
            const first = await firstKept();
            expect(first).toBeDefined();
            for (let n = 0; n < 3; n++) expect(await capture()).toBe(201);

            const wrong = await multibox.ask("/v1/streams", { headers: { authorization: "Bearer wrong" } });
            expect(wrong.status).toBe(401);
            await clock.set(-HOUR);
            expect((await ask("/v1/streams")).status).toBe(200);

            for (const hours of [25, 31 * 24]) {
              await clock.set(hours * HOUR);
              // Twice past the five seconds after which the history looks for what is too old.
              const before = await detected();
              await until(async () => (await detected()) > before + 60);
              expect(await capture()).toBe(201);
            }
            expect(await firstKept()).toBe(first);
            expect(await captures()).toBe(5);
            expect(multibox.stderr).toContain("nothing is deleted for its age");
          },
          clock.env,
        );
      });
    } finally {
      await camera.close();
    }
  });
});

interface FakeClock {
  /** Variables of a process whose time of day is `seconds` off. */
  readonly env: Record<string, string>;
  set(seconds: number): Promise<void>;
}

async function withFakeClock(use: (clock: FakeClock) => Promise<void>): Promise<void> {
  const folder = await makeFolder();
  const offset = join(folder.path, "offset");
  const env = {
    LD_PRELOAD: LIBRARY,
    FAKETIME_TIMESTAMP_FILE: offset,
    FAKETIME_NO_CACHE: "1",
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
  };
  const set = async (seconds: number): Promise<void> => {
    await writeFile(offset, `${seconds < 0 ? "" : "+"}${seconds}`);
    // The library looks at the file's time to see whether it is a new one.
    await utimes(offset, Date.now() / 1000, Date.now() / 1000 + seconds);
  };
  try {
    await set(0);
    await use({ env, set });
  } finally {
    await folder.remove();
  }
}
