// Detection keeps the order in which frames were taken, and one failed batch ends nothing.
import { Subject } from "rxjs";
import { describe, expect, it } from "vitest";
import { MultiboxError } from "../../src/errors.ts";
import type { BatchResult, Detector } from "../../src/model/detector.ts";
import { detectBatches, type Unnumbered } from "../../src/pipeline/detect.ts";
import { type Frame, FramePool } from "../../src/pipeline/frame.ts";
import { InOrder } from "../../src/pipeline/in-order.ts";
import type { WaitingFrame } from "../../src/pipeline/waiting-room.ts";
import { RedFinder } from "../support/red-finder.ts";

const pool = new FramePool(2, 2, { matrix: "bt601", fullRange: false }, 10);

function waiting(index: number, since: number, stream = "a"): WaitingFrame {
  return { frame: pool.tryTake()!.commit({ stream, index, pts: index, time: 0, live: true }), since };
}

/** A detector whose batches are answered one by one, in any order. */
function createManualDetector(): { detector: Detector; answers: PromiseWithResolvers<BatchResult>[] } {
  const answers: PromiseWithResolvers<BatchResult>[] = [];
  const detector = new RedFinder();
  detector.detect = () => {
    const answer = withResolvers<BatchResult>();
    answers.push(answer);
    return answer.promise;
  };
  return { detector, answers };
}

interface PromiseWithResolvers<T> {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (reason: unknown) => void;
}

function withResolvers<T>(): PromiseWithResolvers<T> {
  let resolve!: (value: T) => void;
  let reject!: (reason: unknown) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("detectBatches", () => {
  it("emits a stream's batches in the order in which they were taken, whichever is done first", async () => {
    const { detector, answers } = createManualDetector();
    const batches = new Subject<WaitingFrame[]>();
    const seen: Unnumbered[] = [];
    let free = 0;
    batches
      .pipe(
        detectBatches({
          detector: () => detector,
          order: new InOrder(),
          onDone: () => free++,
          onFailed: () => {},
          now: () => 100,
        }),
      )
      .subscribe((detected) => seen.push(detected));
    batches.next([waiting(0, 90), waiting(1, 95)]);
    batches.next([waiting(2, 99)]);
    answers[1]!.resolve({ detections: [[]], inferMs: 7 });
    await settle();
    expect(free).toBe(1);
    expect(seen).toEqual([]);
    answers[0]!.resolve({ detections: [[], []], inferMs: 9 });
    await settle();
    expect(free).toBe(2);
    expect(seen.map(({ frame }) => frame.index)).toEqual([0, 1, 2]);
    expect(seen.map(({ timing }) => timing)).toEqual([
      { queueMs: 10, inferMs: 9, totalMs: 10 },
      { queueMs: 5, inferMs: 9, totalMs: 5 },
      { queueMs: 1, inferMs: 7, totalMs: 1 },
    ]);
    expect(pool.lent).toBe(3);
    for (const { frame } of seen) frame.release();
  });

  it("does not let a batch that is late hold up other streams than its own", async () => {
    const { detector, answers } = createManualDetector();
    const batches = new Subject<WaitingFrame[]>();
    const seen: string[] = [];
    const options = { detector: () => detector, order: new InOrder(), onDone: () => {}, onFailed: () => {} };
    batches.pipe(detectBatches(options)).subscribe(({ frame }) => {
      seen.push(`${frame.stream}${frame.index}`);
      frame.release();
    });
    batches.next([waiting(0, 0, "a"), waiting(0, 0, "b")]);
    batches.next([waiting(1, 0, "b"), waiting(0, 0, "c")]);
    answers[1]!.resolve({ detections: [[], []], inferMs: 1 });
    await settle();
    expect(seen).toEqual(["c0"]);
    answers[0]!.reject(new Error("too late"));
    await settle();
    expect(seen).toEqual(["c0", "b1"]);
    expect(pool.lent).toBe(0);
  });

  it("drops the frames of a failed batch with the reason, gives the engine back, and goes on", async () => {
    const { detector, answers } = createManualDetector();
    const batches = new Subject<WaitingFrame[]>();
    const seen: number[] = [];
    const failed: string[] = [];
    const onFailed = (frames: readonly Frame[], error: MultiboxError): void => {
      failed.push(`${frames.map(({ index }) => index).join(" ")}: ${error.code}`);
    };
    let free = 0;
    const onDone = (): unknown => free++;
    const options = { detector: () => detector, order: new InOrder(), onDone, onFailed };
    batches.pipe(detectBatches(options)).subscribe(({ frame }) => {
      seen.push(frame.index);
      frame.release();
    });
    batches.next([waiting(0, 0), waiting(1, 0)]);
    batches.next([waiting(2, 0)]);
    batches.next([waiting(3, 0)]);
    answers[0]!.reject(new MultiboxError("ENGINE_DIED", "It died."));
    answers[1]!.reject(new Error("out of memory"));
    answers[2]!.resolve({ detections: [[]], inferMs: 1 });
    await settle();
    expect(failed).toEqual(["0 1: ENGINE_DIED", "2: ENGINE_FAILED"]);
    expect(seen).toEqual([3]);
    expect(free).toBe(3);
    expect(pool.lent).toBe(0);
  });
});
