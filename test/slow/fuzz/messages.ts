// WebSocket traffic that is wrong in every way: texts, bytes, fragments, and requests that are nearly right.
import type { WebSocket } from "ws";
import { SENT } from "./secrets.ts";
import { fc } from "../../support/fast-check.ts";

export type FuzzMessage = (socket: WebSocket) => void;

const value = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    0,
    -1,
    1.5,
    2 ** 53,
    1e308,
    "",
    "*",
    "cam",
    "demo",
    "none",
    "__proto__",
    "\ud800",
    "x".repeat(200),
    [],
    {},
    ["*"],
    [["*"]],
  ),
  fc.constantFrom<unknown>(
    ["cam", "cam"],
    Array.from({ length: 300 }, (_, i) => `s${i}`),
    ["car", 7],
    `rtsp://u:${SENT}@h/x`,
    Number.NaN,
  ),
  fc.jsonValue({ maxDepth: 4 }),
);

/** With the fields of requests, and others. */
const nearlyValid = fc
  .record(
    {
      id: fc.oneof(fc.nat(), fc.string({ maxLength: 140 }), value),
      type: fc.oneof(fc.constantFrom("subscribe", "unsubscribe", "hello", "result", "detections", "ping"), value),
      streams: fc.oneof(fc.constantFrom<unknown>(["*"], ["cam"], ["demo"], ["demo", "cam"]), value),
      labels: fc.oneof(fc.constantFrom<unknown>(["car"], ["unicorn"]), value),
      minScore: value,
      maxFps: value,
      changesOnly: value,
      since: value,
      pictures: fc.oneof(fc.constantFrom<unknown>(64, 320), value),
      nonsense: value,
    },
    { requiredKeys: ["id", "type"] },
  )
  .map((message) => JSON.stringify(message));

const text = fc.oneof(
  { arbitrary: nearlyValid, weight: 6 },
  { arbitrary: fc.string({ maxLength: 60, unit: "binary" }), weight: 2 },
  {
    arbitrary: fc.constantFrom(
      "",
      "{",
      "[]",
      "null",
      "[".repeat(20_000),
      '{"id":1,"type":"subscribe","streams":["*"]',
      `{"url":"rtsp://u:${SENT}@h`,
    ),
    weight: 1,
  },
);

const message: fc.Arbitrary<FuzzMessage> = fc.oneof(
  {
    arbitrary: text.map(
      (data): FuzzMessage =>
        (socket) =>
          socket.send(data),
    ),
    weight: 60,
  },
  {
    arbitrary: fc.uint8Array({ maxLength: 200 }).map(
      (data): FuzzMessage =>
        (socket) =>
          socket.send(data),
    ),
    weight: 6,
  },
  {
    arbitrary: fc.tuple(text, fc.nat(20)).map(
      ([data, at]): FuzzMessage =>
        (socket) =>
          inFragments(socket, data, at),
    ),
    weight: 6,
  },
  {
    arbitrary: fc.uint8Array({ maxLength: 120 }).map(
      (data): FuzzMessage =>
        (socket) =>
          socket.ping(data),
    ),
    weight: 3,
  },
  // What follows ends its connection, or should.
  {
    arbitrary: fc.constant<FuzzMessage>((socket) =>
      socket.send(Buffer.from([0x22, 0xc3, 0x28, 0xff]), { binary: false }),
    ),
    weight: 1,
  },
  {
    arbitrary: fc.constantFrom(70_000, 5 * 1_048_576).map(
      (size): FuzzMessage =>
        (socket) =>
          socket.send("x".repeat(size)),
    ),
    weight: 1,
  },
  {
    arbitrary: fc.uint8Array({ minLength: 2, maxLength: 60 }).map(
      (data): FuzzMessage =>
        (socket) =>
          raw(socket, data),
    ),
    weight: 1,
  },
  { arbitrary: fc.constant<FuzzMessage>((socket) => socket.terminate()), weight: 1 },
);

/** Any number of messages, the same for the same seed. */
export function fuzzMessages(count: number, seed: number): FuzzMessage[] {
  return fc.sample(message, { numRuns: count, seed });
}

function inFragments(socket: WebSocket, data: string, at: number): void {
  socket.send(data.slice(0, at), { fin: false });
  socket.send(data.slice(at), { fin: true });
}

/** Bytes that are no frames, past the library. */
function raw(socket: WebSocket, data: Uint8Array): void {
  (socket as unknown as { _socket?: { write(data: Uint8Array): void } })._socket?.write(data);
}
