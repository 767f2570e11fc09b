// The captures that there are: files in a folder, an index of them in memory, and bounds on their number, age and bytes.
import { existsSync } from "node:fs";
import { readdir, readFile, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { countOf } from "../../count.ts";
import { MultiboxError, sentenceOf } from "../../errors.ts";
import { hashDistance } from "../../model/perceptual-hash.ts";
import type { Capture } from "../../training/capture.ts";
import { captureFiles, isCaptureFile, parseCapture } from "../../training/capture-set.ts";
import { writeWhole } from "../../whole-file.ts";
import { DataFolder } from "../data-folders.ts";
import type { Quarantine } from "../quarantine.ts";
import type { Retention } from "../retention.ts";

export interface CaptureBounds {
  readonly maxCount: number;
  readonly maxBytes: number;
}

/** What can be changed of a capture. */
export type CaptureChange = Partial<Pick<Capture, "objects" | "status" | "proposed" | "model">>;

export interface CaptureQuery {
  readonly status?: Capture["status"] | undefined;
  readonly stream?: string | undefined;
  readonly label?: string | undefined;
}

/** Captures that are near in time are compared with; a scene that comes back after a hundred others is worth another. */
const COMPARED = 100;

/**
 * Kept in the order in which they were taken. Where a bound is reached the oldest go that nobody has accepted; what a person has
 * accepted is never removed by itself, and where only such are left no more are taken.
 */
export class CaptureStore {
  readonly folder: string;
  readonly place: DataFolder;
  readonly #bounds: CaptureBounds;
  readonly #captures = new Map<string, Capture>();
  readonly #retention: Pick<Retention, "cutoff" | "allowance" | "deleted"> | undefined;
  #bytes = 0;
  /** Files are written one after the other. */
  #last: Promise<unknown> = Promise.resolve();

  /** The folder is made when the first capture is. `retention`: of captures that nobody has accepted; none goes for its age without it. */
  constructor(folder: string, bounds: CaptureBounds, retention?: Pick<Retention, "cutoff" | "allowance" | "deleted">) {
    this.folder = folder;
    this.place = new DataFolder(folder);
    this.#bounds = bounds;
    this.#retention = retention;
  }

  /**
   * Reads what the folder holds. A file that cannot be read is told to `onWarning` and left alone. `quarantine`, for the owner of the data
   * folder: takes images without a sidecar; what a server that was killed had half written is removed.
   */
  async load(onWarning: (sentence: string) => void, quarantine?: Pick<Quarantine, "take">): Promise<void> {
    const { folder } = this;
    if (!existsSync(folder)) return;
    const names = (await readdir(folder)).sort();
    for (const name of names.filter(isCaptureFile)) {
      try {
        const file = join(folder, name);
        const capture = parseCapture(await readFile(file, "utf8"), file);
        await stat(captureFiles(folder, capture.id).picture);
        this.#keep(capture);
      } catch (error) {
        onWarning(sentenceOf(error));
      }
    }
    if (!quarantine) return;
    const half = names.filter((name) => HALF.test(name));
    await Promise.all(half.map((name) => rm(join(folder, name), { force: true })));
    const there = new Set(names);
    const orphans = names.filter((name) => name.endsWith(".jpg") && !there.has(sidecarOf(name)));
    quarantine.take(
      orphans.map((name) => join(folder, name)),
      "has no .capture.json beside it",
    );
  }

  get size(): { readonly count: number; readonly bytes: number } {
    return { count: this.#captures.size, bytes: this.#bytes };
  }

  has(id: string): boolean {
    return this.#captures.has(id);
  }

  /** CAPTURE_UNKNOWN when there is none. */
  get(id: string): Capture {
    const capture = this.#captures.get(id);
    if (capture) return capture;
    throw captureUnknown(id);
  }

  /** Oldest first. */
  list({ status, stream, label }: CaptureQuery = {}): Capture[] {
    return [...this.#captures.values()].filter(
      (capture) =>
        (status === undefined || capture.status === status) &&
        (stream === undefined || capture.stream === stream) &&
        (label === undefined || capture.objects.some((object) => object.label === label)),
    );
  }

  /** Whether one of the stream's newest captures looks the same within so many bits. */
  hasSimilar(stream: string, hash: string, bits: number): boolean {
    const near = this.list({ stream }).slice(-COMPARED);
    return near.some((capture) => hashDistance(capture.hash, hash) <= bits);
  }

  /**
   * Writes image and sidecar; the oldest give way to it once it is written. Fails with CAPTURES_FULL, FOLDER_UNAVAILABLE, DISK_FULL or NOT_WRITABLE; then nothing
   * is kept of it, and nothing else is deleted.
   */
  add(capture: Capture, jpeg: Uint8Array): Promise<void> {
    return this.#inTurn(async () => {
      const { full, expired } = this.#leaving(capture.id, jpeg.length);
      const count = this.#captures.size;
      const { picture, sidecar } = captureFiles(this.folder, capture.id);
      // The sidecar last: an image without one is nothing yet.
      await this.place.write(async () => {
        await writeWhole(picture, [jpeg]);
        try {
          await writeWhole(sidecar, [`${JSON.stringify(capture, undefined, 1)}\n`]);
        } catch (error) {
          await rm(picture, { force: true }).catch(() => undefined);
          throw error;
        }
      });
      this.#keep(capture);
      try {
        for (const id of full) await this.#remove(id);
        for (const id of expired) {
          await this.#remove(id);
          this.#retention?.deleted(1, count);
        }
      } catch (error) {
        // The bounds hold also where the system deletes nothing.
        await this.#remove(capture.id).catch(() => undefined);
        throw error;
      }
    });
  }

  /** `check` sees the capture as it is when its turn has come, and fails where that is not to be changed. CAPTURE_UNKNOWN, DISK_FULL or NOT_WRITABLE. */
  change(id: string, change: CaptureChange, check: (capture: Capture) => void = () => {}): Promise<Capture> {
    return this.#inTurn(async () => {
      const before = this.get(id);
      check(before);
      const changed = { ...before, ...change };
      const { sidecar } = captureFiles(this.folder, id);
      await this.place.write(() => writeWhole(sidecar, [`${JSON.stringify(changed, undefined, 1)}\n`]));
      this.#captures.set(id, changed);
      return changed;
    });
  }

  /** `check` as in `change`. CAPTURE_UNKNOWN. */
  remove(id: string, check: (capture: Capture) => void = () => {}): Promise<void> {
    return this.#inTurn(async () => {
      check(this.get(id));
      await this.#remove(id);
    });
  }

  /** Resolves when nothing is being written. */
  async close(): Promise<void> {
    await this.#last;
  }

  /**
   * Which captures give way to one of this number of bytes: where a bound is reached, and for their age. One of the same frame is replaced anyway.
   * Fails with CAPTURES_FULL.
   */
  #leaving(added: string, bytes: number): { readonly full: readonly string[]; readonly expired: readonly string[] } {
    const { maxCount, maxBytes } = this.#bounds;
    const retention = this.#retention;
    const full: string[] = [];
    const expired: string[] = [];
    const replaced = this.#captures.get(added);
    let count = this.#captures.size - (replaced ? 1 : 0);
    let total = this.#bytes - (replaced?.bytes ?? 0);
    const isFull = (): boolean => count >= maxCount || total + bytes > maxBytes;
    const expiring = retention?.allowance(count) ?? 0;
    for (const capture of this.list()) {
      if (capture.status === "accepted" || capture.id === added) continue;
      const isExpired = !isFull() && expired.length < expiring && Date.parse(capture.time) < retention!.cutoff;
      if (!isFull() && !isExpired) continue;
      (isExpired ? expired : full).push(capture.id);
      count -= 1;
      total -= capture.bytes;
    }
    if (!isFull()) return { full, expired };
    throw new MultiboxError(
      "CAPTURES_FULL",
      `${countOf(count, "accepted capture takes", "accepted captures take")} ${Math.round(total / 1e6)} MB, and no more may be kept beside ${count === 1 ? "it" : "them"}.`,
      "Raise captureMaxCount or captureMaxMb, or delete some.",
    );
  }

  async #remove(id: string): Promise<void> {
    await this.place.require();
    const { picture, sidecar } = captureFiles(this.folder, id);
    await rm(sidecar, { force: true });
    await rm(picture, { force: true });
    this.#bytes -= this.#captures.get(id)?.bytes ?? 0;
    this.#captures.delete(id);
  }

  #keep(capture: Capture): void {
    this.#bytes -= this.#captures.get(capture.id)?.bytes ?? 0;
    this.#captures.set(capture.id, capture);
    this.#bytes += capture.bytes;
  }

  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const result = this.#last.then(action);
    this.#last = result.catch(() => undefined);
    return result;
  }
}

/** What `writeWhole` has not finished. */
const HALF = /\.(jpg|capture\.json)\.\d+\.tmp$/;

function sidecarOf(image: string): string {
  return basename(captureFiles("", image.slice(0, -".jpg".length)).sidecar);
}

/** The sentence for a capture that is not there, or not for whoever asks. */
export function captureUnknown(id: string): MultiboxError {
  return new MultiboxError("CAPTURE_UNKNOWN", `There is no capture "${id}".`, "GET /v1/captures lists them.");
}
