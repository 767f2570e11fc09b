// The history's database: what goes in comes out, what is asked for is found, what is too old or too much goes.
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { countLabels, findFrames, type FindQuery } from "../../../src/server/history/history-query.ts";
import { HistoryStore } from "../../../src/server/history/history-store.ts";
import { RECORDS_BEGIN, recordAt } from "../../support/records.ts";

const folder = mkdtempSync(join(tmpdir(), "multibox-history-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const seqs = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);

function filled(count: number, labelsOf: (seq: number) => Record<string, number[]> = () => ({})): HistoryStore {
  const store = new HistoryStore(":memory:");
  store.write(seqs(0, count - 1).map((seq) => recordAt("a", seq, labelsOf(seq))));
  return store;
}

describe("what was written", () => {
  test("is read again to the last digit, over a restart too, each stream by itself", () => {
    const path = join(folder, "kept.db");
    const records = seqs(0, 9).map((seq) =>
      recordAt("a", seq, { car: [0.9876, 0.5], person: seq % 2 ? [0.3001] : [] }),
    );
    const others = seqs(3, 5).map((seq) => ({
      ...recordAt("b", seq),
      width: 640,
      model: { name: "other", version: "2" },
    }));
    const store = new HistoryStore(path);
    store.write([...records, ...others]);
    store.close();
    const again = new HistoryStore(path);
    expect(again.read("a", -1, 100)).toEqual(records);
    expect(again.read("a", 3, 2)).toEqual(records.slice(4, 6));
    expect(again.read("b", 3, 100)).toEqual(others.slice(1));
    expect([again.first("a", -1), again.first("a", 9), again.first("b", -1), again.first("c", -1)]).toEqual([
      0,
      undefined,
      3,
      undefined,
    ]);
    again.close();
  });

  test("twice is there once", () => {
    const store = filled(3, () => ({ car: [0.5] }));
    store.write([recordAt("a", 2, { car: [0.9] }), recordAt("a", 3)]);
    expect(store.read("a", -1, 10).map(({ seq, detections }) => [seq, detections[0]?.score])).toEqual([
      [0, 0.5],
      [1, 0.5],
      [2, 0.5],
      [3, undefined],
    ]);
    expect(countLabels(store, { stream: "a", from: 0, to: 1e13, interval: 3_600_000 })).toMatchObject([
      { frames: 4, detections: 3 },
      { label: "car", frames: 3, detections: 3 },
    ]);
  });

  test("with a frame among it that cannot be kept is not there at all, and what comes next is", () => {
    const store = new HistoryStore(":memory:");
    const broken = { ...recordAt("new", 1, { tree: [0.5] }), pts: Number.NaN };
    expect(() => store.write([recordAt("new", 0, { tree: [0.5] }), broken])).toThrow(/NOT NULL/);
    expect(store.read("new", -1, 10)).toEqual([]);
    const good = recordAt("new", 0, { bush: [0.5], tree: [0.4] });
    store.write([good]);
    expect(store.read("new", -1, 10)).toEqual([good]);
  });
});

describe("asked for", () => {
  const find = (store: HistoryStore, query: Partial<FindQuery>): { seqs: number[]; next: number | undefined } => {
    const whole = { stream: "a", from: 0, to: 1e13, after: -1, limit: 1000, ...query };
    const { records, next } = findFrames(store, whole);
    return { seqs: records.map(({ seq }) => seq), next };
  };

  test("a time, the frames in it come, its ends too", () => {
    const store = filled(100);
    const [from, to] = [RECORDS_BEGIN + 1000, RECORDS_BEGIN + 2000];
    expect(find(store, { from, to })).toEqual({ seqs: seqs(10, 20), next: undefined });
    expect(find(store, { from: to + 1e9 })).toEqual({ seqs: [], next: undefined });
    expect(find(store, { stream: "b" })).toEqual({ seqs: [], next: undefined });
  });

  test("labels or a score, frames that have them come, with those detections alone", () => {
    const store = filled(2000, (seq) => ({ car: seq % 700 === 3 ? [0.9, 0.4] : [], person: [0.3] }));
    expect(find(store, { labels: ["car"] }).seqs).toEqual([3, 703, 1403]);
    expect(find(store, { minScore: 0.5 }).seqs).toEqual([3, 703, 1403]);
    expect(find(store, { labels: ["person"], minScore: 0.5 }).seqs).toEqual([]);
    expect(find(store, { labels: ["tree"] }).seqs).toEqual([]);
    const [frame] = findFrames(store, { stream: "a", from: 0, to: 1e13, after: -1, limit: 1, minScore: 0.5 }).records;
    expect(frame!.detections.map(({ score }) => score)).toEqual([0.9]);
  });

  test("page by page, every frame comes once, though a page may be short", () => {
    const store = filled(5000, (seq) => ({ car: seq % 100 === 0 ? [0.9] : [0.2] }));
    const pages = [];
    const got: number[] = [];
    for (let after: number | undefined = -1; after !== undefined;) {
      const page = find(store, { after, limit: 15, minScore: 0.5 });
      pages.push(page.seqs.length);
      got.push(...page.seqs);
      after = page.next;
    }
    expect(got).toEqual(seqs(0, 49).map((i) => i * 100));
    expect(pages.every((length) => length <= 15)).toBe(true);
  });

  test("frames whose clock went back are found where they say they were", () => {
    const store = new HistoryStore(":memory:");
    const back = seqs(50, 60).map((seq) => ({ ...recordAt("a", seq), time: RECORDS_BEGIN - 86_400_000 + seq }));
    store.write([...seqs(0, 49).map((seq) => recordAt("a", seq)), ...back, recordAt("a", 61)]);
    expect(find(store, { to: RECORDS_BEGIN - 1 }).seqs).toEqual(seqs(50, 60));
    expect(find(store, { from: RECORDS_BEGIN }).seqs).toEqual([...seqs(0, 49), 61]);
  });

  test("counts, each interval has its frames and its labels", () => {
    const store = filled(1500, (seq) => ({ car: seq < 600 ? [0.5, 0.6] : [], person: seq === 700 ? [0.9] : [] }));
    const [begin, minute] = [RECORDS_BEGIN, 60_000];
    expect(countLabels(store, { stream: "a", from: begin, to: begin + 3 * minute, interval: minute })).toEqual([
      { start: begin, label: undefined, frames: 600, detections: 1200 },
      { start: begin, label: "car", frames: 600, detections: 1200 },
      { start: begin + minute, label: undefined, frames: 600, detections: 1 },
      { start: begin + minute, label: "person", frames: 1, detections: 1 },
      { start: begin + 2 * minute, label: undefined, frames: 300, detections: 0 },
    ]);
    expect(countLabels(store, { stream: "a", from: begin, to: begin + minute, interval: 3_600_000 })).toHaveLength(2);
  });
});

describe("retention", () => {
  const sweepAll = (store: HistoryStore, now: number, limits: { hours: number; maxMb: number }): void => {
    for (let turn = 0; store.sweep(now, limits).isMore; turn++) if (turn > 1000) throw new Error("It never ends.");
  };

  test("by age takes away what is older, frames and counts", () => {
    const store = filled(3000, () => ({ car: [0.5] }));
    sweepAll(store, RECORDS_BEGIN + 3_600_000 + 120_000, { hours: 1, maxMb: 100 });
    expect(store.first("a", -1)).toBe(1200);
    expect(store.read("a", -1, 5000)).toHaveLength(1800);
    const counts = countLabels(store, { stream: "a", from: 0, to: 1e13, interval: 60_000 });
    expect(counts[0]!.start).toBe(RECORDS_BEGIN + 120_000);
  });

  test("by age is not held up by frames of a clock that was ahead, and spares them", () => {
    const store = new HistoryStore(":memory:");
    const ahead = seqs(0, 9).map((seq) => ({ ...recordAt("a", seq), time: RECORDS_BEGIN + 1e11 }));
    store.write([...ahead, ...seqs(10, 19).map((seq) => recordAt("a", seq))]);
    sweepAll(store, RECORDS_BEGIN + 7_200_000, { hours: 1, maxMb: 100 });
    expect(store.read("a", -1, 100).map(({ seq }) => seq)).toEqual(seqs(0, 9));
  });

  test("by size keeps the file in bounds, and the newest frames in it", () => {
    const path = join(folder, "bounded.db");
    const store = new HistoryStore(path);
    const labels = { car: Array.from({ length: 20 }, (_, i) => i / 20) };
    for (let batch = 0; batch < 40; batch++) {
      store.write(seqs(batch * 250, batch * 250 + 249).map((seq) => recordAt("a", seq, labels)));
      sweepAll(store, RECORDS_BEGIN, { hours: 1000, maxMb: 1 });
    }
    const first = store.first("a", -1)!;
    expect(first).toBeGreaterThan(5000);
    expect(store.read("a", first - 1, 20_000).map(({ seq }) => seq)).toEqual(seqs(first, 9999));
    store.close();
    expect(statSync(path).size).toBeLessThan(1.2 * 1_048_576);
  });

  test("shrinks the file when the limit has become smaller", () => {
    const path = join(folder, "shrunk.db");
    const store = new HistoryStore(path);
    const labels = { car: Array.from({ length: 20 }, (_, i) => i / 20) };
    store.write(seqs(0, 9999).map((seq) => recordAt("a", seq, labels)));
    for (let turn = 0; turn < 60; turn++) store.sweep(RECORDS_BEGIN, { hours: 1000, maxMb: 1 });
    store.close();
    expect(statSync(path).size).toBeLessThan(1.2 * 1_048_576);
  });
});
