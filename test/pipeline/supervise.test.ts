// When a stream is started again, how soon, and what is said of it: marbles, one frame of virtual time is a millisecond.
import { deepEqual } from "node:assert/strict";
import { NEVER, Observable, Subject } from "rxjs";
import { TestScheduler } from "rxjs/testing";
import { beforeEach, describe, expect, test } from "vitest";
import { MultiboxError } from "../../src/errors.ts";
import { FramePool, type Frame } from "../../src/pipeline/frame.ts";
import type { StreamConfig } from "../../src/pipeline/stream.ts";
import { backOffMs } from "../../src/back-off.ts";
import { supervise, type SuperviseOptions } from "../../src/pipeline/supervise.ts";

const camera: StreamConfig = { id: "cam", url: "rtsp://me:s3cret@cam/1", loop: false, transport: "tcp" };
const once: StreamConfig = { ...camera, url: "a.mp4" };
const looped: StreamConfig = { ...once, loop: true };

const pool = new FramePool(2, 2, { matrix: "bt601", fullRange: false }, 1);
const f: Frame = pool.tryTake()!.commit({ stream: "cam", index: 0, pts: 0, time: 0, live: true });
const unauthorised = new MultiboxError("STREAM_AUTH_FAILED", "no");
const refused = new MultiboxError("STREAM_UNREACHABLE", "no");

let scheduler: TestScheduler;
let states: string[];
let options: SuperviseOptions;

const newScheduler = (): TestScheduler =>
  new TestScheduler((actual, expected) => {
    deepEqual(actual, expected);
  });

beforeEach(() => {
  scheduler = newScheduler();
  states = [];
  options = {
    stallMs: 10,
    backOff: { firstMs: 4, maxMs: 16, factor: 2, jitter: 0.5 },
    misconfiguredMs: 50,
    steadyMs: 20,
    random: () => 0,
    scheduler,
    onState: (state, error) => states.push(`${scheduler.now()} ${state}${error ? ` ${error.code}` : ""}`),
  };
});

/** Runs with these sources, one after the other and the last for ever, and says when each was subscribed to. */
function run(
  config: StreamConfig,
  sources: readonly (readonly [marbles: string, error?: unknown])[],
  expected: string,
  unsubscribe?: string,
): void {
  scheduler.run(({ cold, expectObservable }) => {
    let next = 0;
    const open = (): Observable<Frame> => {
      const [marbles, error] = sources[Math.min(next++, sources.length - 1)]!;
      return cold(marbles, { f }, error);
    };
    expectObservable(supervise(config, open, options), unsubscribe).toBe(expected, { f });
  });
}

describe("a live stream", () => {
  test("is connecting until its first frame, and then live; each state is said once", () => {
    run(camera, [["--f-f-f-f-f"]], "  --f-f-f-f-f", "15ms !");
    expect(states).toEqual(["0 connecting", "2 live"]);
  });

  test("that fails or ends is started again, sooner at first than later, and no later than the longest wait", () => {
    run(camera, [["#", refused]], "-", "60ms !");
    // Waits of 4, 8, 16, 16, 16; the same failure is said once.
    expect(states).toEqual(["0 connecting", "0 retrying STREAM_UNREACHABLE"]);
    let opened = 0;
    scheduler = new TestScheduler(() => {});
    scheduler.run(({ expectObservable, cold }) => {
      const times: number[] = [];
      const open = (): Observable<Frame> => {
        opened += 1;
        times.push(scheduler.now());
        return cold("#", {}, refused);
      };
      expectObservable(supervise(camera, open, { ...options, scheduler }), "61ms !").toBe("-");
      scheduler.schedule(() => expect(times).toEqual([0, 4, 12, 28, 44, 60]), 61);
    });
    expect(opened).toBe(6);
  });

  test("goes on as if nothing had been when it comes back", () => {
    run(camera, [["-f-|"], ["-f----f"]], "-f------f----f", "16ms !");
    expect(states).toEqual(["0 connecting", "1 live", "3 retrying STREAM_ENDED", "8 live"]);
  });

  test("begins its back-off anew only after it has been live for a while", () => {
    options = { ...options, stallMs: 100 };
    const flapping = [["f|"], ["f|"], ["f 20ms |"], ["f|"], ["-"]] as const;
    run(camera, flapping, "f 4ms f 8ms f 24ms f", "60ms !");
    expect(states.filter((state) => state.includes("live"))).toEqual(["0 live", "5 live", "14 live", "39 live"]);
  });

  test("that sends nothing for too long is stalled, given up, and started again", () => {
    scheduler.run(({ cold, expectObservable, expectSubscriptions }) => {
      const silent = cold<Frame>("-f-------------f", { f });
      expectObservable(
        supervise(camera, () => silent, options),
        "20ms !",
      ).toBe("-f 14ms f", { f });
      expectSubscriptions(silent.subscriptions).toBe(["^ 10ms !", "15ms ^ 4ms !"]);
    });
    expect(states).toEqual(["0 connecting", "1 live", "11 stalled STREAM_STALLED", "16 live"]);
  });

  test("is stalled as well when it never sends anything", () => {
    run(camera, [["-"]], "-", "20ms !");
    expect(states).toEqual(["0 connecting", "10 stalled STREAM_STALLED"]);
  });

  test("has longer to open after it was too slow to, and no longer to go on", () => {
    const slow = "23ms f 30ms f";
    scheduler.run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<Frame>(slow, { f });
      expectObservable(
        supervise(camera, () => source, options),
        "85ms !",
      ).toBe("65ms f", { f });
      // 10 ms, 4 of pause, 20 ms, 8 of pause, and then 30 ms are enough; the next picture has 10 again.
      expectSubscriptions(source.subscriptions).toBe(["^ 9ms !", "14ms ^ 19ms !", "42ms ^ 32ms !"]);
    });
    expect(states.slice(-2)).toEqual(["65 live", "75 stalled STREAM_STALLED"]);
  });

  test("is not stalled while pictures are decoded, though none finds a buffer", () => {
    scheduler.run(({ expectObservable, expectSubscriptions, cold }) => {
      const quiet = cold<Frame>("-");
      const open = (alive: () => void): Observable<Frame> => {
        for (const ms of [5, 12, 20, 29]) scheduler.schedule(alive, ms);
        return quiet;
      };
      expectObservable(supervise(camera, open, options), "42ms !").toBe("-");
      expectSubscriptions(quiet.subscriptions).toBe("^ 38ms !");
    });
    expect(states).toEqual(["0 connecting", "39 stalled STREAM_STALLED"]);
  });

  test.each([
    "STREAM_AUTH_FAILED",
    "STREAM_FORBIDDEN",
    "STREAM_NOT_FOUND",
    "STREAM_BAD_SCHEME",
    "FILE_NOT_FOUND",
    "MODEL_UNKNOWN",
  ])("that a person must mend (%s) is tried again slowly", (code) => {
    run(camera, [["-#", new MultiboxError(code, "no")], ["f"]], "51ms f", "60ms !");
    expect(states).toEqual(["0 connecting", `1 misconfigured ${code}`, "51 live"]);
  });

  test("says a new reason, not only a new state", () => {
    run(camera, [["#", refused], ["|"], ["#", unauthorised]], "-", "13ms !");
    expect(states.slice(1)).toEqual([
      "0 retrying STREAM_UNREACHABLE",
      "4 retrying STREAM_ENDED",
      "12 misconfigured STREAM_AUTH_FAILED",
    ]);
  });

  test("outlives a bug in its source, which is said without the password", () => {
    const errors: (MultiboxError | undefined)[] = [];
    options = { ...options, onState: (_state, error) => errors.push(error) };
    const open = (): Observable<Frame> => {
      throw new TypeError("of me:s3cret@cam");
    };
    scheduler.run(({ expectObservable }) => {
      expectObservable(supervise(camera, open, options), "2ms !").toBe("-");
    });
    expect(errors[1]).toMatchObject({ code: "STREAM_FAILED", cause: expect.any(TypeError) as TypeError });
    expect(String(errors[1])).not.toContain("s3cret");
  });

  test("ends its source when it is unsubscribed, and starts no other", () => {
    let running = 0;
    const source = new Observable<Frame>(() => {
      running += 1;
      return () => (running -= 1);
    });
    const subscription = supervise(camera, () => source, options).subscribe();
    expect(running).toBe(1);
    subscription.unsubscribe();
    scheduler.flush();
    expect(running).toBe(0);
    expect(states).toEqual(["0 connecting"]);
  });

  test("may be a looped file", () => {
    run(looped, [["f|"], ["f"]], "f 4ms f", "10ms !");
    expect(states).toEqual(["0 connecting", "0 live", "1 retrying STREAM_ENDED", "5 live"]);
  });
});

describe("a file that is played once", () => {
  test("ends when it ends, however long its frames take", () => {
    run(once, [["-f 30ms f-|"]], "-f 30ms f-|");
    expect(states).toEqual(["0 connecting", "1 live", "34 ended"]);
  });

  test("ends with its error when it fails, and is not tried again", () => {
    run(once, [["-f-#", refused]], "-f-|");
    expect(states).toEqual(["0 connecting", "1 live", "3 ended STREAM_UNREACHABLE"]);
  });

  test("may wait without end for those who take its frames", () => {
    const frames = new Subject<Frame>();
    supervise(once, () => frames, options).subscribe();
    scheduler.flush();
    expect(frames.observed).toBe(true);
  });
});

test("each subscription is supervised for itself", () => {
  const supervised = supervise(camera, () => NEVER, options);
  supervised.subscribe().unsubscribe();
  supervised.subscribe().unsubscribe();
  expect(states).toEqual(["0 connecting", "0 connecting"]);
});

test("chance shortens a wait by at most the jitter", () => {
  const backoff = { firstMs: 500, maxMs: 30_000, factor: 2, jitter: 0.5 };
  expect([0, 1, 5, 6, 100].map((attempt) => backOffMs(backoff, attempt, 0))).toEqual([
    500, 1000, 16_000, 30_000, 30_000,
  ]);
  expect(backOffMs(backoff, 0, 1)).toBe(250);
  expect(backOffMs({ ...backoff, jitter: 0 }, 1, 1)).toBe(1000);
});
