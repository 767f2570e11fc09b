// Keeps each stream's newest detected frame, for whoever asks for a picture between two frames.
import type { Subscription } from "rxjs";
import type { Detected } from "../frame.ts";
import type { Pipeline } from "../pipeline.ts";

/** Holds one frame buffer a stream, from its first detected frame until the stream is removed. */
export class LatestFrames {
  readonly #latest = new Map<string, Detected>();
  readonly #subscription: Subscription;

  constructor(pipeline: Pick<Pipeline, "detected" | "removed">) {
    this.#subscription = pipeline.detected.subscribe((detected) => this.#put(detected));
    this.#subscription.add(pipeline.removed.subscribe((stream) => this.#forget(stream)));
  }

  /** Held by this sink until the next frame; whoever needs it past the current turn retains it. */
  get(stream: string): Detected | undefined {
    return this.#latest.get(stream);
  }

  /** Idempotent. Releases every frame. */
  close(): void {
    this.#subscription.unsubscribe();
    for (const stream of this.#latest.keys()) this.#forget(stream);
  }

  #put(detected: Detected): void {
    detected.frame.retain();
    this.#forget(detected.frame.stream);
    this.#latest.set(detected.frame.stream, detected);
  }

  #forget(stream: string): void {
    this.#latest.get(stream)?.frame.release();
    this.#latest.delete(stream);
  }
}
