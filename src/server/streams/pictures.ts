// JPEGs of frames for all who watch: each frame and width is encoded once, and never more than the encoder keeps up with.
import { MultiboxError } from "../../errors.ts";
import type { Detected } from "../../pipeline/frame.ts";
import type { Jpeg, JpegEncoder } from "../../pipeline/jpeg.ts";

interface Flight {
  readonly detected: Detected;
  readonly jpeg: Promise<Jpeg>;
}

/**
 * One encode at most is under way for a stream and width, and those of a stream hold two different frames at most,
 * however many widths are asked for: frame buffers are few, and the decoder needs them.
 */
export class Pictures {
  readonly #encoder: Pick<JpegEncoder, "encode">;
  readonly #flights = new Map<string, Map<number, Flight>>();
  /** What is done goes with its frame. */
  readonly #done = new WeakMap<Detected, Map<number, Jpeg>>();

  constructor(encoder: Pick<JpegEncoder, "encode">) {
    this.#encoder = encoder;
  }

  /** The frame, which somebody must be holding now, at most `most` wide; undefined when the encoder is behind. */
  offer(detected: Detected, most: number): Promise<Jpeg> | undefined {
    const { stream, picture } = detected.frame;
    const width = Math.min(most, picture.width);
    const done = this.#done.get(detected)?.get(width);
    if (done) return Promise.resolve(done);
    const flights = this.#flights.get(stream) ?? new Map<number, Flight>();
    const flight = flights.get(width);
    if (flight) return flight.detected === detected ? flight.jpeg : undefined;
    const held = new Set([...flights.values()].map((other) => other.detected));
    if (!held.has(detected) && held.size >= 2) return undefined;
    detected.frame.retain();
    const jpeg = this.#encode(detected, width);
    flights.set(width, { detected, jpeg });
    this.#flights.set(stream, flights);
    return jpeg;
  }

  /** The newest frame as soon as the encoder gets to it; undefined when there is none. */
  async newest(
    newest: () => Detected | undefined,
    width: number,
  ): Promise<{ readonly detected: Detected; readonly jpeg: Jpeg } | undefined> {
    for (;;) {
      const detected = newest();
      if (!detected) return undefined;
      const offered = this.offer(detected, width);
      if (offered) return { detected, jpeg: await offered };
      const flights = this.#flights.get(detected.frame.stream)?.values() ?? [];
      await Promise.race([...flights].map(({ jpeg }) => jpeg.catch(() => undefined)));
    }
  }

  /** Of a frame retained for it. */
  async #encode(detected: Detected, width: number): Promise<Jpeg> {
    const { frame } = detected;
    try {
      const jpeg = await this.#encoder.encode(frame.picture, { width });
      this.#done.set(detected, (this.#done.get(detected) ?? new Map<number, Jpeg>()).set(width, jpeg));
      return jpeg;
    } finally {
      frame.release();
      const flights = this.#flights.get(frame.stream);
      flights?.delete(width);
      if (flights?.size === 0) this.#flights.delete(frame.stream);
    }
  }
}

export function noFrame(stream: string): MultiboxError {
  const sentence = `The stream "${stream}" has had no frame yet.`;
  return new MultiboxError("STREAM_NO_FRAME", sentence, "Try again in a moment, or look at its state.");
}
