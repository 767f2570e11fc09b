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
}

function setUp(): Setup {
  const setup = { sockets: [], phases: [], messages: [], pictures: [], timers: new Map() } as Omit<Setup, "connection">;
  const { sockets, phases, messages, pictures, timers } = setup;
  let last = 0;
  const connection = new Connection(
    {
      open: () => {
        const socket = new PlayedSocket();
        sockets.push(socket);
        return socket as unknown as SocketLike;
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
  return { ...setup, connection };
}

/** Lets the one timer that runs ring; returns its milliseconds. */
function ring({ timers }: Setup): number {
  const [[id, { ms, callback }]] = [...timers] as [[number, { ms: number; callback: () => void }]];
  expect(timers.size).toBe(1);
  timers.delete(id);
  callback();
  return ms;
}

describe("Connection", () => {
  it("is open from the hello on, and sends only then", () => {
    const setup = setUp();
    const { connection, sockets, phases, messages, timers } = setup;
    connection.connect();
    connection.send({ id: 1, type: "unsubscribe" });
    sockets[0]!.say(JSON.stringify(hello([])));
    connection.send({ id: 2, type: "unsubscribe" });
    expect(sockets[0]!.binaryType).toBe("arraybuffer");
    expect(sockets[0]!.sent).toEqual(['{"id":2,"type":"unsubscribe"}']);
    expect(phases).toEqual([{ name: "connecting" }, { name: "open" }]);
    expect(messages).toEqual([hello([])]);
    expect(timers.size).toBe(0);
  });

  it("hands on pictures and what came with them", () => {
    const { connection, sockets, pictures } = setUp();
    connection.connect();
    sockets[0]!.say(binary(detections("yard", 1)));
    expect(pictures.map((picture) => picture.detections)).toEqual([detections("yard", 1)]);
  });

  it("waits longer after each attempt that failed, and briefly again once it was connected", () => {
    const setup = setUp();
    const { connection, sockets } = setup;
    connection.connect();
    const waits = [1, 2, 3].map(() => {
      sockets.at(-1)!.fall();
      return ring(setup);
    });
    expect(waits).toEqual([500, 1000, 2000]);
    sockets.at(-1)!.say(JSON.stringify(hello([])));
    sockets.at(-1)!.fall();
    expect(setup.phases.at(-1)).toEqual({ name: "waiting", retryAt: 1500 });
    expect(ring(setup)).toBe(500);
    expect(sockets).toHaveLength(5);
  });

  it("gives up a socket that never says hello, and does not listen to it any more", () => {
    const setup = setUp();
    setup.connection.connect();
    expect(ring(setup)).toBe(10_000);
    const [silent] = setup.sockets;
    expect(silent!.isClosed).toBe(true);
    silent!.say(JSON.stringify(hello([])));
    silent!.fall();
    expect(setup.phases).toEqual([{ name: "connecting" }, { name: "waiting", retryAt: 1500 }]);
  });

  it("connects at once when asked, without a second socket later", () => {
    const setup = setUp();
    setup.connection.connect();
    setup.sockets[0]!.fall();
    setup.connection.connect();
    setup.connection.connect();
    expect(setup.sockets).toHaveLength(2);
    expect([...setup.timers.values()].map(({ ms }) => ms)).toEqual([10_000]);
  });

  it("rests when told that trying again is of no use", () => {
    const setup = setUp();
    setup.connection.connect();
    setup.sockets[0]!.fall();
    setup.connection.rest();
    expect(setup.timers.size).toBe(0);
    setup.connection.connect();
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
