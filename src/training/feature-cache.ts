// Features on disk: each form of each picture goes through the frozen part of a network once in a training.
import { type FileHandle, mkdir, open, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { MultiboxError } from "../errors.ts";
import { writeFailure } from "../whole-file.ts";
import type { FrozenBase } from "./frozen-base.ts";
import type { Target } from "./match.ts";
import type { View } from "./pictures/picture-worker.ts";

/** What a form of a picture is known by. */
export interface FeatureKey {
  readonly sample: number;
  readonly variant: number;
}

export class FeatureCache {
  readonly #file: FileHandle;
  readonly #path: string;
  readonly #base: FrozenBase;
  readonly #numbers: number;
  #places = 0;
  /** By key: the place in the file, and the objects on that form. */
  readonly #kept = new Map<string, { readonly place: number; readonly targets: readonly Target[] }>();

  /**
   * Begins a file of its own, which goes with the process however that ends: a training that goes on computes its features again, and never
   * trusts what a machine that fell over may have left half written.
   */
  static async open(path: string, base: FrozenBase): Promise<FeatureCache> {
    try {
      await mkdir(dirname(path), { recursive: true });
      const file = await open(path, "w+");
      // Where files that are open cannot be removed, `close` does it.
      await rm(path, { force: true }).catch(() => undefined);
      return new FeatureCache(file, path, base);
    } catch (cause) {
      throw writeFailure(cause, path);
    }
  }

  private constructor(file: FileHandle, path: string, base: FrozenBase) {
    this.#file = file;
    this.#path = path;
    this.#base = base;
    this.#numbers = [...base.sizes.values()].reduce((sum, size) => sum + size, 0);
  }

  /**
   * Writes the features of a form of a picture to `out`, and returns the objects on it. `view` makes that form where it is not known yet.
   * Fails with DISK_FULL, or as `view` does.
   */
  async read(
    { sample, variant }: FeatureKey,
    out: Float32Array,
    view: () => Promise<View>,
  ): Promise<readonly Target[]> {
    const key = `${sample}:${variant}`;
    const bytes = new Uint8Array(out.buffer, out.byteOffset, this.#numbers * 4);
    const kept = this.#kept.get(key);
    if (kept) {
      await this.#file.read(bytes, 0, bytes.length, kept.place * bytes.length);
      return kept.targets;
    }
    const { pixels, targets } = await view();
    await this.#base.run(pixels, out);
    const place = this.#places++;
    await this.#file.write(bytes, 0, bytes.length, place * bytes.length).catch((cause: unknown) => {
      const failure = writeFailure(cause, this.#path);
      if (!(failure instanceof MultiboxError)) throw failure;
      throw new MultiboxError(failure.code, failure.message, "Free some, or keep fewer variants: 0 keeps none.", {
        cause,
      });
    });
    // Only now: batches are made ahead, and the next epoch's must not read what is not written yet.
    this.#kept.set(key, { place, targets });
    return targets;
  }

  async close(): Promise<void> {
    await this.#file.close();
    await rm(this.#path, { force: true });
  }
}
