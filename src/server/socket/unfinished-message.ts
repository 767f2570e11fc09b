// Whether a client has begun a message and does not finish it: what has come of it would be held for as long as the client likes.

/** Of a masked control frame (RFC 6455, section 5.2). */
const HEADER_BYTES = 6;

export class UnfinishedMessage {
  readonly #bytesRead: () => number;
  /** Bytes that had come when the last message was whole, and those of pings and pongs since. */
  #accounted: number;
  /** Beats since the last message at which a part of the next one had come. */
  #beats = 0;

  constructor(bytesRead: () => number) {
    this.#bytesRead = bytesRead;
    this.#accounted = bytesRead();
  }

  /** A message is whole. What came behind it in one read is not told apart, and does not count. */
  onMessage(): void {
    this.#accounted = this.#bytesRead();
    this.#beats = 0;
  }

  /** A ping or a pong came, of that payload. */
  onControl(bytes: number): void {
    this.#accounted += bytes + HEADER_BYTES;
  }

  /** Asked at every beat: whether a message has been coming for a whole beat. */
  isStale(): boolean {
    this.#beats = this.#bytesRead() > this.#accounted ? this.#beats + 1 : 0;
    return this.#beats >= 2;
  }
}
