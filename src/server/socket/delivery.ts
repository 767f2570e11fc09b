// What one client gets of each stream: the frames that it missed out of the history, and from the last of these on the live ones.
import { FrameGate } from "./frame-gate.ts";
import { filterDetections, recordMessage, type FrameMessages } from "./frame-messages.ts";
import type { FrameRecord } from "../history/frame-record.ts";
import type { History } from "../history/history.ts";
import { type Outbox, ROOM } from "./outbox.ts";
import type { Subscribed, Subscriptions } from "./subscriptions.ts";

/** Where a client is in a stream that it follows. */
interface Cursor {
  readonly wanted: Subscribed;
  readonly gate: FrameGate | undefined;
  /** "held": a replay that has not begun; live frames go to the history alone until it has come to its end. */
  mode: "live" | "held" | "replay";
  /** The last frame that the client has, while that must be compared with the next one. */
  after: number | undefined;
}

/** Frames that are read from the history at a time. */
const PAGE = 32;

export class Delivery {
  readonly #outbox: Outbox;
  readonly #history: Pick<History, "read">;
  readonly #subscriptions: Subscriptions;
  readonly #cursors = new Map<string, Cursor>();
  #isReading = false;

  constructor(outbox: Outbox, history: Pick<History, "read">, subscriptions: Subscriptions) {
    this.#outbox = outbox;
    this.#history = history;
    this.#subscriptions = subscriptions;
  }

  onFrame(messages: FrameMessages): void {
    const { stream, seq, time } = messages.record;
    const wanted = this.#subscriptions.of(stream);
    if (!wanted) return;
    const cursor = this.#cursor(stream, wanted);
    if (!this.#isLive(cursor)) return;
    if (cursor.after !== undefined) this.#outbox.owe(stream, seq - cursor.after - 1);
    cursor.after = undefined;
    if (cursor.gate && !cursor.gate.lets(time, messages.detections(wanted.filter))) return;
    if (wanted.pictures === undefined) {
      const missed = this.#outbox.takeSkipped(stream);
      this.#outbox.offer(stream, messages.text(wanted.filter), missed, wanted.newestOnly);
    } else this.#offerPicture(messages, cursor, wanted.pictures);
  }

  /** The replay of a stream is about to begin: from now on no frame of it is sent before `begin`. */
  hold(stream: string): void {
    const wanted = this.#subscriptions.of(stream);
    if (wanted?.since.has(stream)) this.#cursor(stream, wanted).mode = "held";
  }

  begin(): void {
    for (const cursor of this.#cursors.values()) if (cursor.mode === "held") cursor.mode = "replay";
    this.onRoom();
  }

  /** Reads on in the history, a stream at a time, when there is room for it. */
  onRoom(): void {
    if (this.#isReading || this.#outbox.waiting > ROOM) return;
    const [stream, cursor] = [...this.#cursors].find(([, { mode }]) => mode === "replay") ?? [];
    if (stream === undefined || cursor === undefined) return;
    // The other streams come first the next time.
    this.#cursors.delete(stream);
    this.#cursors.set(stream, cursor);
    this.#isReading = true;
    this.#history.read(stream, cursor.after ?? -1, PAGE, (records, isAll) => {
      this.#isReading = false;
      if (this.#subscriptions.of(stream) === cursor.wanted && this.#cursors.get(stream) === cursor) {
        for (const record of records) this.#replay(record, cursor);
        // From here on live frames come to this client: the next one is the one after these.
        if (isAll) cursor.mode = "live";
      }
      this.onRoom();
    });
  }

  /** The client no longer follows this stream. */
  forget(stream: string): void {
    this.#cursors.delete(stream);
    this.#outbox.forget(stream);
  }

  /** The client has gone. */
  close(): void {
    this.#subscriptions.delete();
    this.#cursors.clear();
  }

  /** One that is not yet gets on with it; without a history there is nothing to wait for. */
  #isLive(cursor: Cursor): boolean {
    if (cursor.mode !== "live") this.onRoom();
    return cursor.mode === "live";
  }

  #cursor(stream: string, wanted: Subscribed): Cursor {
    const known = this.#cursors.get(stream);
    if (known?.wanted === wanted) return known;
    const after = wanted.since.get(stream);
    // A stream that is removed and added again is not replayed again.
    wanted.since.delete(stream);
    const { maxFps, changesOnly } = wanted;
    const gate = maxFps === undefined && !changesOnly ? undefined : new FrameGate({ maxFps, changesOnly });
    const cursor: Cursor = { wanted, gate, mode: after === undefined ? "live" : "replay", after };
    this.#cursors.set(stream, cursor);
    return cursor;
  }

  #replay(record: FrameRecord, cursor: Cursor): void {
    const { stream, seq, time } = record;
    if (cursor.after !== undefined) this.#outbox.owe(stream, seq - cursor.after - 1);
    cursor.after = seq;
    const detections = filterDetections(record.detections, cursor.wanted.filter);
    if (cursor.gate && !cursor.gate.lets(time, detections)) return;
    this.#outbox.offer(stream, recordMessage(record, detections), this.#outbox.takeSkipped(stream));
  }

  #offerPicture(messages: FrameMessages, cursor: Cursor, width: number): void {
    const { stream } = messages.record;
    const { wanted } = cursor;
    const picture = messages.picture(width);
    if (!picture) {
      this.#outbox.skip(stream);
      return;
    }
    const missedBefore = this.#outbox.takeSkipped(stream);
    // The stream may have been removed meanwhile, and added again: the client was told so, and this frame must not come after that.
    const isForgotten = (): boolean =>
      this.#subscriptions.of(stream) === wanted && this.#cursors.get(stream) !== cursor;
    picture.then(
      (jpeg) => {
        if (isForgotten()) return;
        // Frames of a newer subscription may have gone out meanwhile, and this one must not come after them.
        if (this.#subscriptions.of(stream) !== wanted) this.#skip(stream, missedBefore);
        else this.#outbox.offer(stream, messages.withPicture(wanted.filter, jpeg), missedBefore, wanted.newestOnly);
      },
      () => {
        if (!isForgotten()) this.#skip(stream, missedBefore);
      },
    );
  }

  #skip(stream: string, missedBefore: number): void {
    if (this.#subscriptions.of(stream)) this.#outbox.skip(stream, missedBefore);
  }
}
