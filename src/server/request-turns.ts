// One request at a time is answered on each connection, and connections take turns, so that frames go out between answers.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

export type Answer = (request: IncomingMessage, response: ServerResponse) => unknown;

/** Requests that are begun in one turn of the event loop, over all connections. */
const OF_A_TURN = 4;
/** A connection with more requests waiting is not read until half of them are answered. */
const READ_AHEAD = 32;
/**
 * Requests that wait on all connections. One read from a connection can bring 64 KiB, some 2000 requests, before it is paused. Beyond this
 * the connection with the most is closed: a waiting request takes some kilobytes of memory.
 */
const MOST_WAITING = 8192;

interface Line {
  readonly socket: Duplex;
  readonly waiting: { readonly request: IncomingMessage; readonly response: ServerResponse }[];
  /** Called once nothing waits or is being answered: an upgrade, which ends HTTP on the connection. */
  onIdle: (() => void) | undefined;
  isBusy: boolean;
  isReady: boolean;
  isPaused: boolean;
}

/** Node emits all requests that it has read at once, and their answers would keep everything else waiting. */
export class RequestTurns {
  readonly #answer: Answer;
  readonly #lines = new Map<Duplex, Line>();
  /** With a request to begin, the one that waits longest first. */
  readonly #ready: Line[] = [];
  #waiting = 0;
  #scheduled = 0;

  constructor(answer: Answer) {
    this.#answer = answer;
  }

  /** Listens to `request`. */
  add(request: IncomingMessage, response: ServerResponse): void {
    const line = this.#lineOf(request.socket);
    line.waiting.push({ request, response });
    this.#waiting += 1;
    this.#regulate(line);
    this.#makeReady(line);
    if (this.#waiting > MOST_WAITING) this.#closeLongest();
  }

  /** After `upgrade`: calls back when what came before on the connection is answered; never when that closes it. */
  whenIdle(socket: Duplex, callback: () => void): void {
    if (socket.destroyed) return;
    const line = this.#lines.get(socket);
    if (line && isAnswering(line)) line.onIdle = callback;
    else callback();
  }

  #lineOf(socket: Duplex): Line {
    const known = this.#lines.get(socket);
    if (known) return known;
    const line: Line = { socket, waiting: [], onIdle: undefined, isBusy: false, isReady: false, isPaused: false };
    this.#lines.set(socket, line);
    socket.once("close", () => this.#drop(line));
    return line;
  }

  #makeReady(line: Line): void {
    if (line.isBusy || line.isReady || line.waiting.length === 0) return;
    line.isReady = true;
    this.#ready.push(line);
    this.#schedule();
  }

  /** What immediates do is finished before the next one is called, and those that are made meanwhile come in the next turn. */
  #schedule(): void {
    while (this.#scheduled < Math.min(OF_A_TURN, this.#ready.length)) {
      this.#scheduled += 1;
      setImmediate(() => {
        this.#scheduled -= 1;
        this.#begin();
        this.#schedule();
      });
    }
  }

  #begin(): void {
    const line = this.#ready.shift();
    if (!line) return;
    line.isReady = false;
    if (line.socket.destroyed) this.#drop(line);
    const next = line.waiting.shift();
    if (!next) return;
    this.#waiting -= 1;
    const { request, response } = next;
    line.isBusy = true;
    response.once("close", () => {
      line.isBusy = false;
      this.#regulate(line);
      this.#makeReady(line);
      if (isAnswering(line) || line.socket.destroyed) return;
      const { onIdle } = line;
      line.onIdle = undefined;
      onIdle?.();
    });
    this.#answer(request, response);
  }

  /** Node resumes a connection after each request that it has read or answered, in ticks that come before microtasks. */
  #regulate(line: Line): void {
    queueMicrotask(() => {
      if (line.socket.destroyed || line.onIdle) return;
      if (line.waiting.length > (line.isPaused ? READ_AHEAD / 2 : READ_AHEAD)) {
        line.isPaused = true;
        line.socket.pause();
      } else if (line.isPaused) {
        line.isPaused = false;
        line.socket.resume();
      }
    });
  }

  #closeLongest(): void {
    let longest: Line | undefined;
    for (const line of this.#lines.values())
      if (!longest || line.waiting.length > longest.waiting.length) longest = line;
    longest?.socket.destroy();
    if (longest) this.#drop(longest);
  }

  #drop(line: Line): void {
    if (this.#lines.get(line.socket) === line) this.#lines.delete(line.socket);
    this.#waiting -= line.waiting.length;
    line.waiting.length = 0;
    line.onIdle = undefined;
  }
}

const isAnswering = ({ isBusy, waiting }: Line): boolean => isBusy || waiting.length > 0;
