// Proposals by another detector than the one that captured, for captures that nobody has reviewed: one part looks, the other writes what was found.
import { readFile } from "node:fs/promises";
import { MultiboxError, sentenceOf, systemCode } from "../../errors.ts";
import { decodePicture } from "../../model/decode-picture.ts";
import type { Detector } from "../../model/detector.ts";
import { detectInTiles, type Grid } from "../../model/tiles.ts";
import type { Capture } from "../../training/capture.ts";
import { captureFiles } from "../../training/capture-set.ts";
import type { CaptureStore } from "./capture-store.ts";
import { MOST_OBJECTS, type ProposalEvent, type ProposedEvent } from "./proposal-events.ts";

export interface LookOptions {
  readonly detector: Detector;
  readonly grid: Grid;
  /** Only these are proposed; all when absent. */
  readonly labels?: readonly string[] | undefined;
  /** Ends it between two captures. */
  readonly signal?: AbortSignal | undefined;
}

export interface ProposeOptions extends LookOptions {
  readonly onProgress?: (done: number, total: number) => void;
}

export interface Proposed {
  /** Captures with new proposals, with how many boxes before and now. */
  readonly captures: number;
  readonly boxesBefore: number;
  readonly boxes: number;
  /** Captures that a person has changed, accepted, skipped or deleted, some of them meanwhile. */
  readonly reviewed: number;
  /** Sentences about captures that could not be read. */
  readonly failures: readonly string[];
  readonly isStopped: boolean;
}

/** Looks at each capture of `folder` that nobody has reviewed, and writes nothing. Fails as the detector does. */
export async function* lookAgain(
  folder: string,
  captures: readonly Capture[],
  { detector, grid, labels, signal }: LookOptions,
): AsyncGenerator<ProposalEvent, void> {
  const { name, version } = detector.info.model;
  const total = captures.length;
  for (const [i, capture] of captures.entries()) {
    if (signal?.aborted) return;
    const about = { id: capture.id, done: i + 1, total };
    if (!isUnreviewed(capture)) {
      yield { event: "reviewed", ...about };
      continue;
    }
    let event: ProposalEvent;
    try {
      const image = await decodePicture(await readFile(captureFiles(folder, capture.id).picture));
      const found = await detectInTiles(detector, image, grid);
      const proposed = found
        .filter(({ label }) => !labels || labels.includes(label))
        .slice(0, MOST_OBJECTS)
        .map(({ bbox: [x, y, width, height], score, label }): Capture["proposed"][number] => {
          return { bbox: [x, y, width, height], score, label };
        });
      event = { event: "proposed", ...about, model: { name, version }, proposed };
    } catch (error) {
      const code = error instanceof MultiboxError ? error.code : systemCode(error);
      if (code === undefined || !UNREADABLE.has(code)) throw error;
      event = { event: "unreadable", ...about, message: `${capture.id}: ${sentenceOf(error)}` };
    }
    yield event;
  }
}

/**
 * Writes what was found as the capture's proposals, and as what is there until somebody corrects it. Returns how many boxes it had before;
 * undefined, with nothing written, where somebody has reviewed or deleted it. Fails with DISK_FULL, NOT_WRITABLE or FOLDER_UNAVAILABLE.
 */
export async function applyProposals(
  store: CaptureStore,
  { id, model, proposed }: Pick<ProposedEvent, "id" | "model" | "proposed">,
): Promise<number | undefined> {
  const objects = proposed.map(({ bbox, label }) => ({ bbox, label }));
  let before: number | undefined;
  try {
    await store.change(id, { model, proposed, objects }, (capture) => {
      if (!isUnreviewed(capture)) throw new MultiboxError("CAPTURE_CHANGED", `"${id}" is being reviewed.`);
      before = capture.proposed.length;
    });
    return before;
  } catch (error) {
    if (error instanceof MultiboxError && GONE.has(error.code)) return undefined;
    throw error;
  }
}

/** Both, one capture after the other. What came before a failure or a stop stays. */
export async function propose(
  store: CaptureStore,
  captures: readonly Capture[],
  { onProgress, ...options }: ProposeOptions,
): Promise<Proposed> {
  const sum = { captures: 0, boxesBefore: 0, boxes: 0, reviewed: 0 };
  const failures: string[] = [];
  let last = 0;
  onProgress?.(0, captures.length);
  for await (const event of lookAgain(store.folder, captures, options)) {
    const before = event.event === "proposed" ? await applyProposals(store, event) : undefined;
    if (event.event === "unreadable") failures.push(event.message);
    else if (event.event === "reviewed" || before === undefined) sum.reviewed += 1;
    else {
      sum.captures += 1;
      sum.boxesBefore += before;
      sum.boxes += event.proposed.length;
    }
    last = event.done;
    onProgress?.(last, captures.length);
  }
  return { ...sum, failures, isStopped: last < captures.length };
}

/** Of one capture, while others may be well. */
const UNREADABLE: ReadonlySet<string> = new Set([
  "PICTURE_UNREADABLE",
  "PICTURE_TOO_LARGE",
  "ENOENT",
  "EACCES",
  "EPERM",
  "EIO",
  "EISDIR",
  "ELOOP",
  "ESTALE",
]);
/** Somebody has reviewed or deleted it meanwhile. */
const GONE: ReadonlySet<string> = new Set(["CAPTURE_CHANGED", "CAPTURE_UNKNOWN"]);

/** What is there is still what a model said. */
export function isUnreviewed({ status, proposed, objects }: Capture): boolean {
  return (
    status === "new" &&
    objects.length === proposed.length &&
    objects.every(({ bbox, label }, i) => {
      const by = proposed[i]!;
      return label === by.label && bbox.every((value, at) => value === by.bbox[at]);
    })
  );
}
