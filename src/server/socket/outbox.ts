// What waits for one client: bounded, first in first out, and the oldest detections go when the client is too slow.
import type { FrameMessage } from "./frame-messages.ts";

/** The part of a WebSocket that the outbox needs. */
export interface Wire {
  /** Bytes that were handed over and have not left. */
  readonly bufferedAmount: number;
  send(data: string | Buffer, options: { binary: boolean }, done: (error?: Error) => void): void;
}

export interface OutboxOptions {
  readonly maxMessages: number;
  /** Of what waits here and in the socket together. */
  readonly maxBytes: number;
  /** A message has left. */
  readonly onSent: (kind: "detections" | "other", bytes: number) => void;
  /** A message of this stream was dropped because the client, or the encoder, was behind. */
  readonly onDropped: (stream: string, cause: "slow" | "encoder") => void;
  /** Little is waiting, and more may come. */
  readonly onRoom: () => void;
  /** Even what may not be dropped has piled up: the client does not read at all. */
  readonly onOverflow: () => void;
}

type Waiting =
  | { readonly kind: "other"; readonly text: string; readonly bytes: number; readonly topic?: string | undefined }
  | {
      readonly kind: "detections";
      readonly stream: string;
      readonly message: FrameMessage;
      readonly missedBefore: number;
      readonly bytes: number;
    };

/** The socket gets this much ahead; the rest waits where it can still be dropped. */
const AHEAD = 262_144;
/** As few frames as this are waiting when there is room for more of the history. */
export const ROOM = 16;

export class Outbox {
  readonly #wire: Wire;
  readonly #options: OutboxOptions;
  readonly #queue: Waiting[] = [];
  /** Dropped from the queue's front, to be told in the stream's next message that leaves. */
  readonly #missed = new Map<string, number>();
  /** Never came into the queue, to be told in the stream's next message that does. */
  readonly #skipped = new Map<string, number>();
  readonly #waiting = { detections: 0, other: 0 };
  #onDrained: (() => void) | undefined;
  #bytes = 0;

  constructor(wire: Wire, options: OutboxOptions) {
    this.#wire = wire;
    this.#options = options;
  }

  /** Never dropped; but one with a topic takes the place of what waits of the same topic, which it makes old. */
  put(message: object, topic?: string): void {
    const text = JSON.stringify(message);
    const old = topic === undefined ? -1 : this.#queue.findIndex((one) => one.kind === "other" && one.topic === topic);
    if (old >= 0) this.#take(old);
    this.#push({ kind: "other", text, bytes: text.length, topic });
    const isFull = this.#waiting.other > 16 * this.#options.maxMessages || this.#size() > 2 * this.#options.maxBytes;
    if (isFull) this.#options.onOverflow();
  }

  /** Frames that wait here. */
  get waiting(): number {
    return this.#waiting.detections;
  }

  /** Calls back once, when all that waits here has been handed over. */
  drained(callback: () => void): void {
    if (this.#queue.length === 0) callback();
    else this.#onDrained = callback;
  }

  /** Messages of any kind that wait here. */
  get length(): number {
    return this.#queue.length;
  }

  /** Something was handed over and has not left. */
  get isBlocked(): boolean {
    return this.#wire.bufferedAmount > 0;
  }

  /**
   * Detections of a frame. `missedBefore`: what `takeSkipped` said when the frame came. `newestOnly`: it takes the place of
   * the one that waits of its stream.
   */
  offer(stream: string, message: FrameMessage, missedBefore: number, newestOnly = false): void {
    if (newestOnly) this.#dropWhere((waiting) => waiting.stream === stream);
    this.#push({ kind: "detections", stream, message, missedBefore, bytes: message.bytes });
    const { maxMessages, maxBytes } = this.#options;
    // The newest stays even where it alone is too much, so that a client is never left without any.
    while (this.#waiting.detections > 1 && (this.#waiting.detections > maxMessages || this.#size() > maxBytes)) {
      this.#dropWhere(() => true);
    }
  }

  /** A message of this stream will not be made for this client, because the encoder is behind. */
  skip(stream: string, missedBefore = 0): void {
    add(this.#skipped, stream, missedBefore + 1);
    this.#options.onDropped(stream, "encoder");
  }

  /** Frames of this stream are lost that never were on their way, to be told in its next message. */
  owe(stream: string, count: number): void {
    if (count > 0) add(this.#skipped, stream, count);
  }

  /** How many were skipped before a message that is being made now. */
  takeSkipped(stream: string): number {
    const skipped = this.#skipped.get(stream) ?? 0;
    this.#skipped.delete(stream);
    return skipped;
  }

  /** The client no longer follows this stream. What waits is still sent. */
  forget(stream: string): void {
    this.#skipped.delete(stream);
    if (!this.#queue.some((waiting) => waiting.kind === "detections" && waiting.stream === stream)) {
      this.#missed.delete(stream);
    }
  }

  #push(waiting: Waiting): void {
    this.#queue.push(waiting);
    this.#waiting[waiting.kind] += 1;
    this.#bytes += waiting.bytes;
    this.#pump();
  }

  #pump(): void {
    while (this.#queue.length > 0 && this.#wire.bufferedAmount < AHEAD) {
      const next = this.#take(0);
      const [data, binary] = next.kind === "other" ? [next.text, false] : [this.#write(next), next.message.binary];
      this.#wire.send(data, { binary }, (error) => {
        if (error) return;
        this.#options.onSent(next.kind, data.length);
        this.#pump();
        if (this.#waiting.detections <= ROOM) this.#options.onRoom();
        if (this.#queue.length > 0) return;
        this.#onDrained?.();
        this.#onDrained = undefined;
      });
    }
  }

  #write({ stream, message, missedBefore }: Waiting & { kind: "detections" }): Buffer {
    const missed = this.#missed.get(stream) ?? 0;
    this.#missed.delete(stream);
    return message.write(missed + missedBefore);
  }

  /** Drops the oldest frame that fits. */
  #dropWhere(fits: (waiting: Waiting & { kind: "detections" }) => boolean): void {
    const index = this.#queue.findIndex((waiting) => waiting.kind === "detections" && fits(waiting));
    if (index < 0) return;
    const dropped = this.#take(index);
    if (dropped.kind !== "detections") return;
    add(this.#missed, dropped.stream, dropped.missedBefore + 1);
    this.#options.onDropped(dropped.stream, "slow");
  }

  #take(index: number): Waiting {
    const [taken] = this.#queue.splice(index, 1) as [Waiting];
    this.#waiting[taken.kind] -= 1;
    this.#bytes -= taken.bytes;
    return taken;
  }

  #size(): number {
    return this.#bytes + this.#wire.bufferedAmount;
  }
}

function add(counts: Map<string, number>, stream: string, count: number): void {
  counts.set(stream, (counts.get(stream) ?? 0) + count);
}
