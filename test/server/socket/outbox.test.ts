// The outbox's policy, with a socket that a test drains by hand.
import { describe, expect, test } from "vitest";
import type { FrameMessage } from "../../../src/server/socket/frame-messages.ts";
import { Outbox, type OutboxOptions, type Wire } from "../../../src/server/socket/outbox.ts";

/** Takes what it is given, and lets it leave when told. */
class HandDrainedWire implements Wire {
  readonly sent: string[] = [];
  readonly #leaving: { bytes: number; done: (error?: Error) => void }[] = [];

  get bufferedAmount(): number {
    return this.#leaving.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  send(data: string | Buffer, _options: { binary: boolean }, done: (error?: Error) => void): void {
    this.sent.push(data.toString().trimEnd());
    this.#leaving.push({ bytes: data.length, done });
  }

  /** Lets everything leave that has been given until nothing more comes. */
  drain(): void {
    for (let next = this.#leaving.shift(); next; next = this.#leaving.shift()) next.done();
  }
}

function message(name: string, kilobytes: number): FrameMessage {
  return {
    bytes: kilobytes * 1024,
    binary: false,
    write: (dropped) => Buffer.from(`${name} ${dropped}`.padEnd(kilobytes * 1024)),
  };
}

function setUp(limits: Partial<OutboxOptions> = {}): {
  wire: HandDrainedWire;
  outbox: Outbox;
  dropped: string[];
  overflows: () => number;
} {
  const wire = new HandDrainedWire();
  const dropped: string[] = [];
  let overflows = 0;
  const outbox = new Outbox(wire, {
    maxMessages: 3,
    maxBytes: 10_000 * 1024,
    onSent: () => undefined,
    onRoom: () => undefined,
    onDropped: (stream, cause) => dropped.push(`${stream} ${cause}`),
    onOverflow: () => (overflows += 1),
    ...limits,
  });
  return { wire, outbox, dropped, overflows: () => overflows };
}

const offer = (outbox: Outbox, stream: string, name: string, kilobytes = 300): void =>
  outbox.offer(stream, message(name, kilobytes), outbox.takeSkipped(stream));

describe("a client that keeps up", () => {
  test("gets everything at once, and has missed nothing", () => {
    const { wire, outbox, dropped } = setUp();
    for (let i = 0; i < 50; i++) {
      offer(outbox, "a", `a${i}`);
      wire.drain();
    }
    expect(wire.sent).toEqual(Array.from({ length: 50 }, (_, i) => `a${i} 0`));
    expect(dropped).toEqual([]);
  });
});

describe("a client that does not", () => {
  test("loses its oldest, and each stream's next message says how many", () => {
    const { wire, outbox, dropped } = setUp();
    offer(outbox, "a", "a0"); // fills the socket
    for (const name of ["a1", "b0", "a2", "a3", "a4", "b1"]) offer(outbox, name[0]!, name);
    // Three wait: a3, a4, b1.
    expect(dropped).toEqual(["a slow", "b slow", "a slow"]);
    wire.drain();
    expect(wire.sent).toEqual(["a0 0", "a3 2", "a4 0", "b1 1"]);
  });

  test("is bound by bytes too, counting what the socket holds, but keeps the newest", () => {
    const { wire, outbox } = setUp({ maxBytes: 1000 * 1024 });
    for (let i = 0; i < 9; i++) offer(outbox, "a", `a${i}`, 400);
    offer(outbox, "a", "huge", 5000);
    expect(wire.bufferedAmount).toBe(400 * 1024);
    wire.drain();
    expect(wire.sent).toEqual(["a0 0", "huge 8"]);
  });

  test("loses no result and no event, and those keep their place", () => {
    const { wire, outbox } = setUp();
    offer(outbox, "a", "a0");
    outbox.put({ result: 1 });
    for (let i = 1; i < 6; i++) offer(outbox, "a", `a${i}`);
    outbox.put({ result: 2 });
    wire.drain();
    expect(wire.sent).toEqual(["a0 0", '{"result":1}', "a3 2", "a4 0", "a5 0", '{"result":2}']);
  });

  test("gets of a topic only the newest, at its own place", () => {
    const { wire, outbox } = setUp();
    offer(outbox, "a", "a0");
    for (let percent = 0; percent < 9; percent++) outbox.put({ percent }, "job 1");
    outbox.put({ result: 1 });
    outbox.put({ other: 1 }, "job 2");
    outbox.put({ percent: 9 }, "job 1");
    wire.drain();
    expect(wire.sent).toEqual(["a0 0", '{"result":1}', '{"other":1}', '{"percent":9}']);
  });

  test("overflows when even those pile up", () => {
    const { outbox, overflows } = setUp();
    offer(outbox, "a", "a0");
    for (let i = 0; i < 48; i++) outbox.put({});
    expect(overflows()).toBe(0);
    outbox.put({});
    expect(overflows()).toBe(1);
  });
});

describe("frames that the encoder skipped", () => {
  test("count in the message after them, and on when that is dropped too", () => {
    const { wire, outbox, dropped } = setUp({ maxMessages: 1 });
    offer(outbox, "a", "a0");
    outbox.skip("a");
    outbox.skip("a");
    offer(outbox, "a", "a3");
    outbox.skip("a");
    offer(outbox, "a", "a5");
    expect(dropped).toEqual(["a encoder", "a encoder", "a encoder", "a slow"]);
    wire.drain();
    expect(wire.sent).toEqual(["a0 0", "a5 4"]);
  });

  test("are not told in a message that was under way before", () => {
    const { wire, outbox } = setUp();
    const before = outbox.takeSkipped("a");
    outbox.skip("a");
    outbox.offer("a", message("a0", 1), before);
    offer(outbox, "a", "a2", 1);
    wire.drain();
    expect(wire.sent).toEqual(["a0 0", "a2 1"]);
  });

  test("are forgotten with the stream", () => {
    const { wire, outbox } = setUp();
    outbox.skip("a");
    outbox.forget("a");
    offer(outbox, "a", "a1", 1);
    wire.drain();
    expect(wire.sent).toEqual(["a1 0"]);
  });
});
