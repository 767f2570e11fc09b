// Turns the JPEGs of one stream into drawn pictures: decodes one at a time, newest wins, and frees what it held.
import type { PictureMessage } from "./wire.ts";
import type { Detections } from "../protocol.ts";

/** A decoded picture with its detections; `drawnAt` in milliseconds since the epoch. */
export interface Shown<Bitmap> {
  readonly bitmap: Bitmap;
  readonly detections: Detections;
  readonly drawnAt: number;
}

export interface PlayerTools<Bitmap> {
  readonly decode: (jpeg: Uint8Array<ArrayBuffer>) => Promise<Bitmap>;
  /** Calls back before the next repaint. */
  readonly schedule: (callback: () => void) => void;
  readonly now: () => number;
}

export class Player<Bitmap extends { close(): void }> {
  /** Draws what is shown; set by whoever owns the canvas. */
  target: ((shown: Shown<Bitmap>) => void) | undefined;
  /** Pictures that this page left out because newer ones were there, or that the server did for this page's slowness. */
  missed = 0;
  readonly #tools: PlayerTools<Bitmap>;
  #shown: Shown<Bitmap> | undefined;
  #next: PictureMessage | undefined;
  #decoding = false;
  #scheduled = false;
  #closed = false;

  constructor(tools: PlayerTools<Bitmap>) {
    this.#tools = tools;
  }

  get shown(): Shown<Bitmap> | undefined {
    return this.#shown;
  }

  offer(message: PictureMessage): void {
    this.missed += message.detections.dropped;
    if (this.#next) this.missed += 1;
    this.#next = message;
    void this.#pump();
  }

  /** Draws the shown picture once more: the filter or the canvas's size has changed. */
  refresh(): void {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    this.#tools.schedule(() => {
      this.#scheduled = false;
      if (this.#shown) this.target?.(this.#shown);
    });
  }

  /** Forgets what waits; the shown picture stays. */
  flush(): void {
    this.#next = undefined;
  }

  close(): void {
    this.#closed = true;
    this.#next = undefined;
    this.#shown?.bitmap.close();
    this.#shown = undefined;
  }

  async #pump(): Promise<void> {
    if (this.#decoding) return;
    this.#decoding = true;
    while (this.#next) {
      const { jpeg, detections } = this.#next;
      this.#next = undefined;
      // A picture that does not decode is one picture less, no reason to stop.
      const bitmap = await this.#tools.decode(jpeg).catch(() => undefined);
      if (bitmap) this.#show(bitmap, detections);
      else this.missed += 1;
    }
    this.#decoding = false;
  }

  #show(bitmap: Bitmap, detections: Detections): void {
    if (this.#closed) return bitmap.close();
    this.#shown?.bitmap.close();
    this.#shown = { bitmap, detections, drawnAt: this.#tools.now() };
    this.refresh();
  }
}
