// Whose turn it is, whatever comes: shares follow the weights, nobody starves, and no frame is lost from the books.
import { describe, expect, test } from "vitest";
import { type Frame, FramePool } from "../../src/pipeline/frame.ts";
import { random } from "../../src/model/random.ts";
import type { Pace } from "../../src/pipeline/pace.ts";
import { WaitingRoom, type WaitingRoomOptions } from "../../src/pipeline/waiting-room.ts";
import { fc } from "../support/fast-check.ts";

const COLOUR = { matrix: "bt601", fullRange: false } as const;

/** Of a detector that never rests. */
const steady = (ms: number): Pace => ({ typicalMs: ms, longestMs: ms, busy: 1 });

/** A room on a clock of its own, with the books of its frames. */
function createRoom(weights: readonly number[], options: Partial<WaitingRoomOptions> = {}) {
  const pool = new FramePool(2, 2, COLOUR, 1000);
  const books = { time: 0, added: 0, taken: weights.map(() => 0), dropped: weights.map(() => 0) };
  const room = new WaitingRoom({
    maxBatch: () => 8,
    maxDelayMs: 10,
    maxAgeMs: 1000,
    pace: () => steady(80),
    weightOf: ({ stream }) => weights[Number(stream)]!,
    onDrop: ({ stream }) => (books.dropped[Number(stream)]! += 1),
    now: () => books.time,
    ...options,
  });
  return {
    room,
    pool,
    books,
    add: (stream: number, live = true): void => {
      const frame = pool.tryTake()!.commit({ stream: String(stream), index: books.added++, pts: 0, time: 0, live });
      room.add(frame);
    },
    take: (): Frame[] => {
      const frames = room.take().map(({ frame }) => frame);
      for (const frame of frames) {
        books.taken[Number(frame.stream)]! += 1;
        frame.release();
      }
      return frames;
    },
  };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0);

describe("with more frames than the detector takes", () => {
  const weights = fc.array(fc.integer({ min: 1, max: 10 }), { minLength: 2, maxLength: 12 });

  test("streams that always have one waiting get shares in proportion to their weights, to a frame", () => {
    fc.assert(
      fc.property(weights, fc.integer({ min: 1, max: 8 }), (weightOf, maxBatch) => {
        // Files, whose frames all wait, so that a batch may have several of one stream.
        const { books, add, take } = createRoom(weightOf, { maxBatch: () => maxBatch });
        for (let round = 0; round < 40; round++) {
          for (const stream of weightOf.keys()) for (let i = 0; i < maxBatch; i++) if (round < 2) add(stream, false);
          for (const { stream } of take()) add(Number(stream), false);
        }
        const total = sum(books.taken);
        for (const [stream, weight] of weightOf.entries()) {
          const share = (total * weight) / sum(weightOf);
          // Start-time fair queuing is off by no more than a frame of each, whatever the time that is looked at.
          expect(Math.abs(books.taken[stream]! - share)).toBeLessThanOrEqual(weight + 1);
        }
      }),
      { numRuns: 60 },
    );
  });

  const detectorMs = fc.integer({ min: 20, max: 150 });

  /** Half a minute of cameras with weight 1, in batches of up to eight: what each got, and what max-min fairness gives it. */
  function run(cameras: readonly { readonly fps: number; readonly phase: number }[], batchMs: number) {
    const { books, add, take } = createRoom(
      cameras.map(() => 1),
      { pace: () => steady(batchMs) },
    );
    const seconds = 30;
    const due = cameras.map(({ fps, phase }) => (phase * 1000) / fps);
    for (let end = batchMs; end < seconds * 1000; end += batchMs) {
      for (;;) {
        const first = due.indexOf(Math.min(...due));
        if (due[first]! >= end) break;
        books.time = due[first]!;
        due[first]! += 1000 / cameras[first]!.fps;
        add(first);
      }
      books.time = end;
      take();
    }
    const offered = cameras.map(({ fps }) => fps * seconds);
    return { taken: books.taken, fair: fairShares(offered, sum(books.taken)) };
  }

  test("cameras of any rates, no more than a batch of them in step: none gets less than four fifths of its fair share", () => {
    const rates = fc.array(
      fc.record({ fps: fc.integer({ min: 1, max: 30 }), phase: fc.double({ min: 0, max: 1, noNaN: true }) }),
      { minLength: 2, maxLength: 32 },
    );
    fc.assert(
      fc.property(rates, detectorMs, (cameras, batchMs) => {
        // Frames of phase 0 or 1 all arrive at whole seconds; the next test shows what more than a batch of them cost.
        const inStep = cameras.filter(({ fps, phase }) => Math.min(phase, 1 - phase) / fps < 0.001);
        fc.pre(inStep.length <= 8);
        const { taken, fair } = run(cameras, batchMs);
        for (const [stream, share] of fair.entries()) expect(taken[stream]!).toBeGreaterThanOrEqual(0.8 * share - 2);
      }),
      { numRuns: 25 },
    );
  });

  // The rule drops whatever a batch passed over once it is older than a batch and the delay, however idle the detector is later.
  test("ten slow cameras in step, two more than a batch holds: the ninth and tenth frame of each burst are dropped as stale", () => {
    const cameras = [...Array.from({ length: 9 }, () => ({ fps: 1, phase: 0 })), { fps: 2, phase: 0 }];
    const { taken, fair } = run(cameras, 22);
    expect(Math.min(...taken)).toBe(21);
    expect(0.8 * Math.max(...fair) - 2).toBeGreaterThan(21);
  });
});

describe("thirty-two cameras on a detector that holds twenty", () => {
  const [maxDelayMs, frameMs, typicalMs] = [10, 200, 80];
  const spread = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 32, maxLength: 32 });

  /** Half a minute: what each stream had of it, in equal shares, and how old frames were when they were detected, ascending. */
  function run(offsets: readonly number[], batchMs: () => number) {
    const { room, books, add } = createRoom(
      offsets.map(() => 1),
      { pace: () => steady(typicalMs), maxDelayMs },
    );
    const due = offsets.map((offset) => offset * frameMs);
    const ages: number[] = [];
    const shares = offsets.map(() => 0);
    for (let end = typicalMs; end < 30_000;) {
      for (;;) {
        const first = due.indexOf(Math.min(...due));
        if (due[first]! >= end) break;
        books.time = due[first]!;
        due[first]! += frameMs;
        add(first);
      }
      books.time = end;
      end += batchMs();
      for (const { frame, since } of room.take()) {
        ages.push(end - since);
        shares[Number(frame.stream)]! += 1;
        frame.release();
      }
    }
    const fair = ages.length / shares.length;
    return { shares: shares.map((share) => share / fair), ages: ages.toSorted((a, b) => a - b) };
  }

  test("each gets its share, and what is detected is no older than two batches", () => {
    fc.assert(
      fc.property(spread, (phases) => {
        // As cameras come: spread over the time of a frame, and not all at its beginning.
        const offsets = phases.map((phase, i) => (i + phase) / phases.length);
        const { shares, ages } = run(offsets, () => typicalMs);
        expect(Math.min(...shares)).toBeGreaterThanOrEqual(0.8);
        expect(ages[Math.floor(0.99 * ages.length)]!).toBeLessThan(2 * (maxDelayMs + typicalMs));
      }),
      { numRuns: 10 },
    );
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])(
    "with seed %i, batches take from half to twice their time: each gets its share, and nothing is older than two of the longest",
    (seed) => {
      const next = random(seed);
      const offsets = Array.from({ length: 32 }, next);
      const { shares, ages } = run(offsets, () => typicalMs * 2 ** (2 * next() - 1));
      expect(Math.min(...shares)).toBeGreaterThanOrEqual(0.8);
      expect(ages[Math.floor(0.99 * ages.length)]!).toBeLessThan(2 * (maxDelayMs + 2 * typicalMs));
    },
  );
});

/** Max-min fairness: nobody gets more than was offered, and what one leaves is shared by the others. */
function fairShares(offered: readonly number[], total: number): number[] {
  const shares = offered.map(() => 0);
  let left = total;
  let open = [...offered.keys()].toSorted((a, b) => offered[a]! - offered[b]!);
  while (open.length > 0) {
    const [least] = open;
    const share = Math.min(offered[least!]!, left / open.length);
    shares[least!] = share;
    left -= share;
    open = open.slice(1);
  }
  return shares;
}

test("a stream that was silent for long is owed eight frames and no more", () => {
  const { books, add, take } = createRoom([1, 1], { maxBatch: () => 1 });
  for (let i = 0; i < 200; i++) add(0, false);
  for (let i = 0; i < 100; i++) take();
  for (let i = 0; i < 100; i++) add(1, false);
  for (let i = 0; i < 40; i++) take();
  expect(books.taken).toEqual([116, 24]);
});

test("a camera whose frames come as a batch goes has its turn: they are older than a batch takes, but were never passed over", () => {
  const { books, add, take } = createRoom([1, 1], { maxBatch: () => 1, pace: () => steady(20) });
  const served = Array.from({ length: 10 }, () => {
    add(1);
    books.time += 21;
    add(0);
    books.time += 10;
    return take().map(({ stream }) => Number(stream));
  });
  expect(served.flat()).toEqual([1, 0, 1, 0, 1, 0, 1, 0, 1, 0]);
});

test("no frame is lost: each is taken, dropped, withdrawn, or waits, at every moment", () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("add"), stream: fc.nat(5), live: fc.boolean(), ms: fc.nat(400) }),
    fc.record({ kind: fc.constant("take"), stream: fc.constant(0), live: fc.constant(true), ms: fc.nat(400) }),
    fc.record({ kind: fc.constant("withdraw"), stream: fc.nat(5), live: fc.constant(true), ms: fc.nat(400) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), fc.integer({ min: 1, max: 8 }), (steps, maxBatch) => {
      const { room, pool, books, add, take } = createRoom([1, 1, 2, 3, 1, 10], { maxBatch: () => maxBatch });
      let withdrawn = 0;
      let largest = 0;
      for (const { kind, stream, live, ms } of steps) {
        books.time += ms;
        if (kind === "add") add(stream, live);
        else if (kind === "take") largest = Math.max(largest, take().length);
        else {
          for (const frame of room.withdraw(String(stream))) {
            withdrawn += 1;
            frame.release();
          }
        }
        expect(books.added).toBe(sum(books.taken) + sum(books.dropped) + withdrawn + room.size);
        expect(pool.lent).toBe(room.size);
      }
      expect(largest).toBeLessThanOrEqual(maxBatch);
    }),
    { numRuns: 100 },
  );
});
