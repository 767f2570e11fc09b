// The history beside the pipeline: frames wait bounded, none is missing between the disk and memory, and a full disk is said once.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { VirtualTimeScheduler } from "rxjs";
import { afterAll, describe, expect, test } from "vitest";
import { History } from "../../../src/server/history/history.ts";
import { openHistoryPort } from "../../../src/server/history/history-port.ts";
import { memoryHistory, type MemoryHistory } from "../../support/memory-history.ts";
import { recordAt } from "../../support/records.ts";

const folder = mkdtempSync(join(tmpdir(), "multibox-history-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Bench {
  readonly history: History;
  readonly port: MemoryHistory;
  readonly log: string[];
  /** So many milliseconds pass; the thread answers at once, or when `answers` are let go. */
  readonly pass: (ms: number) => void;
  readonly answers: (() => void)[];
}

function setUp({ maxWaiting = 1000, held = false } = {}): Bench {
  const clock = new VirtualTimeScheduler();
  const log: string[] = [];
  const answers: (() => void)[] = [];
  const port = memoryHistory((callback) => void (held ? answers.push(callback) : callback()));
  const logger = pino({}, { write: (line: string) => void log.push((JSON.parse(line) as { msg: string }).msg) });
  const history = new History({ port, logger, clock, maxWaiting });
  const pass = (ms: number): void => {
    clock.maxFrames = clock.frame + ms;
    clock.flush();
    clock.frame = clock.maxFrames;
  };
  return { history, port, log, pass, answers };
}

const record = (history: History, from: number, to: number, stream = "a"): void => {
  for (let seq = from; seq <= to; seq++) history.record(recordAt(stream, seq));
};

function read(history: History, after: number, limit: number): { seqs: number[]; isAll: boolean } {
  let got: { seqs: number[]; isAll: boolean } | undefined;
  history.read("a", after, limit, (records, isAll) => (got = { seqs: records.map(({ seq }) => seq), isAll }));
  return got!;
}

test("frames go to the disk together, a fifth of a second after the first, or when there are 256", () => {
  const { history, port, pass } = setUp();
  record(history, 0, 9);
  pass(199);
  expect(port.store.read("a", -1, 100)).toHaveLength(0);
  pass(2);
  expect(port.store.read("a", -1, 100)).toHaveLength(10);
  record(history, 10, 265);
  expect(port.store.read("a", -1, 1000)).toHaveLength(266);
  expect(history.status()).toEqual({ state: "recording", error: undefined, kept: 266, waiting: 0, lost: 0 });
});

describe("reading", () => {
  test("finds frames on the disk, on their way and waiting, each once, and says when they are all", () => {
    const { history, pass, answers } = setUp({ held: true });
    const got: unknown[] = [];
    const ask = (after: number, limit: number): void =>
      history.read("a", after, limit, (records, isAll) => got.push([records.map(({ seq }) => seq), isAll]));
    record(history, 0, 2);
    pass(200);
    record(history, 3, 4);
    record(history, 0, 9, "b");
    // The commit is not answered yet when this is asked, and what comes until the answer is in it.
    ask(-1, 100);
    ask(1, 2);
    ask(-1, 3);
    record(history, 5, 5);
    for (let next = answers.shift(); next; next = answers.shift()) next();
    expect(got).toEqual([
      [[0, 1, 2, 3, 4, 5], true],
      [[2, 3], false],
      [[0, 1, 2], false],
    ]);
  });

  test("while the disk is full finds what waits in memory", () => {
    const { history, port, pass } = setUp();
    record(history, 0, 4);
    pass(200);
    port.broken = { code: "STORE_UNAVAILABLE", message: "The disk is full.", hint: "" };
    record(history, 5, 9);
    pass(200);
    record(history, 10, 12);
    port.broken = undefined;
    expect(read(history, 2, 100)).toEqual({ seqs: [3, 4, 5, 6, 7, 8, 9, 10, 11, 12], isAll: true });
  });
});

describe("when the disk is full", () => {
  test("it is said once, tried again, and the oldest that wait are lost and counted; then it goes on by itself", () => {
    const { history, port, log, pass } = setUp({ maxWaiting: 300 });
    record(history, 0, 9);
    pass(200);
    port.broken = { code: "STORE_UNAVAILABLE", message: "The disk is full.", hint: "" };
    record(history, 10, 19);
    pass(200);
    record(history, 20, 999);
    pass(20_000);
    const { error } = { error: port.broken };
    // The ten that are tried again, and the newest 290.
    expect(history.status()).toEqual({ state: "failing", error, kept: 10, waiting: 300, lost: 690 });
    port.broken = undefined;
    pass(6000);
    expect(history.status()).toEqual({ state: "recording", error: undefined, kept: 310, waiting: 0, lost: 690 });
    expect(port.store.read("a", -1, 1000).map(({ seq }) => seq)).toEqual([
      ...Array.from({ length: 20 }, (_, i) => i),
      ...Array.from({ length: 290 }, (_, i) => 710 + i),
    ]);
    expect(log).toEqual([expect.stringContaining("The disk is full."), "the history is written again"]);
  });

  test("a batch that fails for itself is lost, not tried for ever", () => {
    const { history, pass } = setUp();
    history.record({ ...recordAt("a", 0), pts: Number.NaN });
    pass(200);
    record(history, 1, 3);
    pass(1000);
    expect(history.status()).toMatchObject({ state: "recording", kept: 3, lost: 1 });
  });
});

test("no history is kept where it is off, and questions are answered so", async () => {
  const history = new History({ logger: pino({ level: "silent" }) });
  history.record(recordAt("a", 0));
  expect(read(history, -1, 10)).toEqual({ seqs: [], isAll: true });
  expect(history.status()).toMatchObject({ state: "off", waiting: 0 });
  await expect(history.count({ stream: "a", from: 0, to: 1, interval: 60_000 })).rejects.toThrow(/keeps no history/);
  await history.close();
});

describe("in its thread", () => {
  const open = (path: string): History => {
    const port = openHistoryPort({ path, hours: 1e6, maxMb: 100, heldMs: () => 0 });
    return new History({ port, logger: pino({ level: "silent" }) });
  };
  const query = { stream: "a", from: 0, to: 1e14, after: -1, limit: 1000 };

  test("what was recorded is there after an end in good order, the last frame too", async () => {
    const path = join(folder, "thread.db");
    const first = open(path);
    // Only so long is waited for a thread at the end as it takes in good order, and here it may have to start first.
    await first.find(query);
    record(first, 0, 599);
    await first.close();
    const second = open(path);
    expect((await second.find(query)).records.map(({ seq }) => seq)).toEqual(Array.from({ length: 600 }, (_, i) => i));
    await second.close();
  });

  test("a damaged database is a sentence, and is left as it is", async () => {
    const path = join(folder, "damaged.db");
    writeFileSync(path, "no database at all ".repeat(1000));
    const history = open(path);
    await expect(history.find(query)).rejects.toThrow(
      expect.objectContaining({ code: "STORE_DAMAGED", message: expect.stringContaining("damaged.db is damaged") }),
    );
    await history.close();
  });
});
