// A real JPEG encoder whose pictures wait until a test lets them go: an encoder that is behind.
import type { Picture } from "../../src/model/detection.ts";
import { JpegEncoder, type Jpeg, type JpegOptions } from "../../src/pipeline/jpeg.ts";

export class HeldEncoder extends JpegEncoder {
  /** Widths of all that was asked for, in order. */
  readonly asked: (number | undefined)[] = [];
  readonly #held: { resolve: () => void; reject: (error: Error) => void }[] = [];

  override async encode(picture: Picture, options: JpegOptions = {}): Promise<Jpeg> {
    this.asked.push(options.width);
    await new Promise<void>((resolve, reject) => this.#held.push({ resolve, reject }));
    return super.encode(picture, options);
  }

  letGo(): void {
    for (const { resolve } of this.#held.splice(0)) resolve();
  }

  fail(error: Error): void {
    for (const { reject } of this.#held.splice(0)) reject(error);
  }
}
