// Proposals by another detector than the one that captured: for captures that nobody has looked at yet.
import { readFile } from "node:fs/promises";
import { MultiboxError, sentenceOf, systemCode } from "../../errors.ts";
import { decodePicture } from "../../model/decode-picture.ts";
import type { Detector } from "../../model/detector.ts";
import { detectInTiles, type Grid } from "../../model/tiles.ts";
import type { Capture } from "../../training/capture.ts";
import { captureFiles } from "../../training/capture-set.ts";
import type { CaptureStore } from "./capture-store.ts";

export interface ProposeOptions {
  readonly detector: Detector;
  readonly grid: Grid;
  /** Only these are proposed; all when absent. */
  readonly labels?: readonly string[] | undefined;
  /** Ends it between two captures; what has new proposals then keeps them. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (done: number, total: number) => void;
}

export interface Proposed {
  /** Captures with new proposals, with how many boxes before and now. */
  readonly captures: number;
  readonly boxesBefore: number;
  readonly boxes: number;
  /** Captures that a person has changed, accepted or skipped, some of them meanwhile. */
  readonly reviewed: number;
  /** Sentences about captures that could not be read. */
  readonly failures: readonly string[];
  readonly isStopped: boolean;
}

/**
 * Looks at each of `captures` that nobody has reviewed, and writes what is found as its proposals and as what is there until somebody
 * corrects it. Fails as the detector does, and with DISK_FULL, NOT_WRITABLE or FOLDER_UNAVAILABLE; what came before that stays.
 */
export async function propose(
  store: CaptureStore,
  captures: readonly Capture[],
  { detector, grid, labels, signal, onProgress }: ProposeOptions,
): Promise<Proposed> {
  const sum = { captures: 0, boxesBefore: 0, boxes: 0, reviewed: 0 };
  const failures: string[] = [];
  let done = 0;
  for (const capture of captures) {
    onProgress?.(done, captures.length);
    if (signal?.aborted) return { ...sum, failures, isStopped: true };
    done += 1;
    if (!isUnreviewed(capture)) {
      sum.reviewed += 1;
      continue;
    }
    try {
      const image = await decodePicture(await readFile(captureFiles(store.folder, capture.id).picture));
      const found = await detectInTiles(detector, image, grid);
      const proposed = found
        .filter(({ label }) => !labels || labels.includes(label))
        .map(({ bbox: [x, y, width, height], score, label }): Capture["proposed"][number] => {
          return { bbox: [x, y, width, height], score, label };
        });
      const { name, version } = detector.info.model;
      const objects = proposed.map(({ bbox, label }) => ({ bbox, label }));
      await store.change(capture.id, { model: { name, version }, proposed, objects }, requireUnreviewed);
      sum.captures += 1;
      sum.boxesBefore += capture.proposed.length;
      sum.boxes += proposed.length;
    } catch (error) {
      const code = error instanceof MultiboxError ? error.code : systemCode(error);
      if (code === "CAPTURE_CHANGED" || code === "CAPTURE_UNKNOWN") sum.reviewed += 1;
      else if (code !== undefined && UNREADABLE.has(code)) failures.push(`${capture.id}: ${sentenceOf(error)}`);
      else throw error;
    }
  }
  onProgress?.(done, captures.length);
  return { ...sum, failures, isStopped: false };
}

/** Of one capture, while others may be well. */
const UNREADABLE: ReadonlySet<string> = new Set(["PICTURE_UNREADABLE", "PICTURE_TOO_LARGE", "ENOENT", "EACCES", "EIO"]);

/** What is there is still what a model said. */
function isUnreviewed({ status, proposed, objects }: Capture): boolean {
  return (
    status === "new" &&
    objects.length === proposed.length &&
    objects.every(({ bbox, label }, i) => {
      const by = proposed[i]!;
      return label === by.label && bbox.every((value, at) => value === by.bbox[at]);
    })
  );
}

function requireUnreviewed(capture: Capture): void {
  if (!isUnreviewed(capture)) throw new MultiboxError("CAPTURE_CHANGED", `"${capture.id}" is being reviewed.`);
}
