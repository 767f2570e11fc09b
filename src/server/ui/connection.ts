// The socket to the server: opens it, opens it again when it falls, and hands on what it brings.
import { backOffMs } from "./back-off.ts";
import { parseBinary, parseText, type PictureMessage } from "./wire.ts";
import type { ClientMessage, ServerMessage } from "../protocol.ts";

export type Phase =
  | { readonly name: "connecting" }
  | { readonly name: "open" }
  /** The connection fell, or never stood; `retryAt` in milliseconds since the epoch. */
  | { readonly name: "waiting"; readonly retryAt: number };

/** The part of a browser's WebSocket that is used. */
export interface SocketLike {
  binaryType: string;
  addEventListener(type: "message", listener: (event: { data: unknown }) => void): void;
  addEventListener(type: "close", listener: () => void): void;
  send(text: string): void;
  close(): void;
}

export interface ConnectionTools {
  /** Fails when there is no way to: then it is tried again as after a fall. */
  readonly open: () => Promise<SocketLike>;
  readonly now: () => number;
  readonly random: () => number;
  readonly setTimer: (callback: () => void, ms: number) => number;
  readonly clearTimer: (timer: number) => void;
}

export interface ConnectionEvents {
  readonly phase: (phase: Phase) => void;
  readonly message: (message: ServerMessage) => void;
  readonly picture: (message: PictureMessage) => void;
}

/** A socket that opens but never says hello is given up after this long. */
const HELLO_MS = 10_000;

export class Connection {
  readonly #tools: ConnectionTools;
  readonly #events: ConnectionEvents;
  /** The attempt that counts, and its socket once there is one. */
  #attempted: { socket?: SocketLike } | undefined;
  #timer: number | undefined;
  #attempt = 0;
  #open = false;

  constructor(tools: ConnectionTools, events: ConnectionEvents) {
    this.#tools = tools;
    this.#events = events;
  }

  /** Connects now: at the start, or without waiting for the next attempt. Does nothing while a socket is there, or on its way. */
  connect(): void {
    if (this.#attempted) return;
    const attempted: { socket?: SocketLike } = {};
    this.#attempted = attempted;
    this.#setTimer(() => this.#fell(), HELLO_MS);
    this.#events.phase({ name: "connecting" });
    // What was given up may still come, say something, or fall.
    const counts = (): boolean => this.#attempted === attempted;
    this.#tools.open().then(
      (socket) => {
        if (!counts()) return socket.close();
        socket.binaryType = "arraybuffer";
        attempted.socket = socket;
        socket.addEventListener("message", ({ data }) => counts() && this.#receive(data));
        socket.addEventListener("close", () => counts() && this.#fell());
      },
      () => counts() && this.#fell(),
    );
  }

  /** Waits for `connect` instead of trying again: it would fail again. */
  rest(): void {
    if (!this.#attempted) this.#clearTimer();
  }

  /** Lost when there is no connection: the subscriber says everything again after the next hello. */
  send(message: ClientMessage): void {
    if (this.#open) this.#attempted?.socket?.send(JSON.stringify(message));
  }

  #receive(data: unknown): void {
    if (data instanceof ArrayBuffer) return this.#events.picture(parseBinary(data));
    const message = parseText(String(data));
    if (!message) return;
    if (message.type === "hello") {
      this.#clearTimer();
      this.#attempt = 0;
      this.#open = true;
      this.#events.phase({ name: "open" });
    }
    this.#events.message(message);
  }

  #fell(): void {
    const given = this.#attempted;
    this.#attempted = undefined;
    given?.socket?.close();
    this.#open = false;
    this.#attempt += 1;
    const ms = backOffMs(this.#attempt, this.#tools.random());
    this.#setTimer(() => this.connect(), ms);
    this.#events.phase({ name: "waiting", retryAt: this.#tools.now() + ms });
  }

  #setTimer(callback: () => void, ms: number): void {
    this.#clearTimer();
    this.#timer = this.#tools.setTimer(callback, ms);
  }

  #clearTimer(): void {
    if (this.#timer !== undefined) this.#tools.clearTimer(this.#timer);
    this.#timer = undefined;
  }
}
