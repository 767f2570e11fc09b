// The socket's life: hello, falls, and the next attempt, with a clock that the test turns.
import { describe, expect, it } from "vitest";
import { backOffMs } from "../../../src/server/ui/back-off.ts";
import { Connection, type Phase, type SocketLike } from "../../../src/server/ui/connection.ts";
import type { PictureMessage } from "../../../src/server/ui/wire.ts";
import type { ServerMessage } from "../../../src/server/protocol.ts";
import { binary, detections, hello } from "./messages.ts";

/** A socket whose other end is the test. */
class PlayedSocket extends EventTarget {
  binaryType = "blob";
  readonly sent: string[] = [];
  isClosed = false;

  send(text: string): void {
    this.sent.push(text);
  }

  close(): void {
    this.isClosed = true;
  }

  say(data: unknown): void {
    this.dispatchEvent(Object.assign(new Event("message"), { data }));
  }

  fall(): void {
    this.dispatchEvent(new Event("close"));
  }
}

interface Setup {
  readonly connection: Connection;
  readonly sockets: PlayedSocket[];
  readonly phases: Phase[];
  readonly messages: ServerMessage[];
  readonly pictures: PictureMessage[];
  /** The timers that run, in milliseconds. */
  readonly timers: Map<number, { ms: number; callback: () => void }>;
  /** No socket can be had. */
  isRefusing: boolean;
}

function setUp(): Setup {
  const setup = {
    sockets: [],
    phases: [],
    messages: [],
    pictures: [],
    timers: new Map(),
    isRefusing: false,
  } as unknown as Setup;
  const { sockets, phases, messages, pictures, timers } = setup;
  let last = 0;
  const connection = new Connection(
    {
      open: () => {
        if (setup.isRefusing) return Promise.reject(new Error("no ticket"));
        const socket = new PlayedSocket();
        sockets.push(socket);
        return Promise.resolve(socket as unknown as SocketLike);
      },
      now: () => 1000,
      random: () => 0,
      setTimer: (callback, ms) => {
        timers.set((last += 1), { ms, callback });
        return last;
      },
      clearTimer: (timer) => void timers.delete(timer),
    },
    {
      phase: (phase) => phases.push(phase),
      message: (message) => messages.push(message),
      picture: (message) => pictures.push(message),
    },
  );
  return Object.assign(setup, { connection });
}

/** What was promised has come. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Lets the one timer that runs ring; returns its milliseconds. */
function ring({ timers }: Setup): number {
  const [[id, { ms, callback }]] = [...timers] as [[number, { ms: number; callback: () => void }]];
  expect(timers.size).toBe(1);
  timers.delete(id);
  callback();
  return ms;
}

describe("Connection", () => {
  it("is open from the hello on, and sends only then", async () => {
    const setup = setUp();
    const { connection, sockets, phases, messages, timers } = setup;
    connection.connect();
    await settled();
    connection.send({ id: 1, type: "unsubscribe" });
    sockets[0]!.say(JSON.stringify(hello([])));
    connection.send({ id: 2, type: "unsubscribe" });
    expect(sockets[0]!.binaryType).toBe("arraybuffer");
    expect(sockets[0]!.sent).toEqual(['{"id":2,"type":"unsubscribe"}']);
    expect(phases).toEqual([{ name: "connecting" }, { name: "open" }]);
    expect(messages).toEqual([hello([])]);
    expect(timers.size).toBe(0);
  });

  it("hands on pictures and what came with them", async () => {
    const { connection, sockets, pictures } = setUp();
    connection.connect();
    await settled();
    sockets[0]!.say(binary(detections("yard", 1)));
    expect(pictures.map((picture) => picture.detections)).toEqual([detections("yard", 1)]);
  });

  it("waits longer after each attempt that failed, and briefly again once it was connected", async () => {
    const setup = setUp();
    const { connection, sockets } = setup;
    connection.connect();
    await settled();
    const waits: number[] = [];
    for (let attempt = 0; attempt < 3; attempt += 1) {
      sockets.at(-1)!.fall();
      waits.push(ring(setup));
      await settled();
    }
    expect(waits).toEqual([500, 1000, 2000]);
    sockets.at(-1)!.say(JSON.stringify(hello([])));
    sockets.at(-1)!.fall();
    expect(setup.phases.at(-1)).toEqual({ name: "waiting", retryAt: 1500 });
    expect(ring(setup)).toBe(500);
    expect(sockets).toHaveLength(5);
  });

  it("tries again where no socket can be had, as when the server gives no ticket", async () => {
    const setup = setUp();
    setup.isRefusing = true;
    setup.connection.connect();
    await settled();
    expect(setup.phases).toEqual([{ name: "connecting" }, { name: "waiting", retryAt: 1500 }]);
    setup.isRefusing = false;
    expect(ring(setup)).toBe(500);
    await settled();
    expect(setup.sockets).toHaveLength(1);
  });

  it("closes a socket that comes when it was given up already", async () => {
    const setup = setUp();
    setup.connection.connect();
    ring(setup);
    await settled();
    expect(setup.sockets.map(({ isClosed }) => isClosed)).toEqual([true]);
  });

  it("gives up a socket that never says hello, and does not listen to it any more", async () => {
    const setup = setUp();
    setup.connection.connect();
    await settled();
    expect(ring(setup)).toBe(10_000);
    const [silent] = setup.sockets;
    expect(silent!.isClosed).toBe(true);
    silent!.say(JSON.stringify(hello([])));
    silent!.fall();
    expect(setup.phases).toEqual([{ name: "connecting" }, { name: "waiting", retryAt: 1500 }]);
  });

  it("connects at once when asked, without a second socket later", async () => {
    const setup = setUp();
    setup.connection.connect();
    await settled();
    setup.sockets[0]!.fall();
    setup.connection.connect();
    await settled();
    setup.connection.connect();
    await settled();
    expect(setup.sockets).toHaveLength(2);
    expect([...setup.timers.values()].map(({ ms }) => ms)).toEqual([10_000]);
  });

  it("rests when told that trying again is of no use", async () => {
    const setup = setUp();
    setup.connection.connect();
    await settled();
    setup.sockets[0]!.fall();
    setup.connection.rest();
    expect(setup.timers.size).toBe(0);
    setup.connection.connect();
    await settled();
    expect(setup.sockets).toHaveLength(2);
  });
});

describe("backOffMs", () => {
  it("doubles up to 15 s, and takes up to half of it off at random", () => {
    expect([1, 2, 3, 4, 5, 6, 7, 1000].map((attempt) => backOffMs(attempt, 0))).toEqual([
      500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000,
    ]);
    expect(backOffMs(2, 1)).toBe(500);
  });
});
