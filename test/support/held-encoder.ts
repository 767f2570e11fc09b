// A real JPEG encoder whose pictures wait until a test lets them go: an encoder that is behind.
import type { Picture } from "../../src/model/detection.ts";
import { JpegEncoder, type Jpeg, type JpegOptions } from "../../src/pipeline/jpeg.ts";

export class HeldEncoder extends JpegEncoder {
  /** Widths of all that was asked for, in order. */
  readonly asked: (number | undefined)[] = [];
  readonly #held: { resolve: () => void; reject: (error: Error) => void }[] = [];

  /** Settles when what was last let go is a JPEG. */
  lastLetGo: Promise<unknown> = Promise.resolve();

  override async encode(picture: Picture, options: JpegOptions = {}): Promise<Jpeg> {
    this.asked.push(options.width);
    await new Promise<void>((resolve, reject) => this.#held.push({ resolve, reject }));
    const jpeg = super.encode(picture, options);
    this.lastLetGo = jpeg;
    return jpeg;
  }

  /** The one that was asked for last, before those that wait longer. */
  letNewestGo(): void {
    this.#held.pop()?.resolve();
  }

  letGo(): void {
    for (const { resolve } of this.#held.splice(0)) resolve();
  }

  fail(error: Error): void {
    for (const { reject } of this.#held.splice(0)) reject(error);
  }
}
