// Samples a batch with several threads, as the network runs with several: alone, it would be the part that does not get faster.
import { MessageChannel, type MessagePort, type Worker } from "node:worker_threads";
import { startWorker } from "../worker-entry.ts";
import type { Picture } from "./detection.ts";
import { createSampler } from "./sample.ts";
import type { SsdSpec } from "./spec.ts";

/** What a helper thread is started with. */
export interface HelperSetup {
  readonly input: SsdSpec["input"];
  readonly control: Int32Array;
  readonly port: MessagePort;
}

/** Rows `fromRow` up to `toRow` of every picture, into the places that the pictures have in the batch. */
export interface HelperJob {
  readonly pictures: readonly Picture[];
  readonly batch: Uint8Array;
  readonly fromRow: number;
  readonly toRow: number;
}

/** Places in the control block: rises with each job; counts helpers that are done with it; counts helpers that have started. */
export const TICKET = 0;
export const DONE = 1;
export const READY = 2;

// Sampling takes a tenth of a network's time; more threads would save less than they cost.
const MOST_HELPERS = 3;
// The share of one picture's rows that this thread does while the helpers wake up.
const HEAD_START = 0.08;

export interface SampleCrew {
  /** Whether all helpers have started. Until then this thread works alone. */
  readonly isComplete: boolean;
  /** Memory that the crew can sample into: shared when there are helpers. */
  createBatch(bytes: number): Uint8Array;
  /** Samples the pictures one after the other into a batch. Returns when it is done. */
  sample(pictures: readonly Picture[], batch: Uint8Array): void;
  close(): Promise<void>;
}

/**
 * A crew of this thread and up to `threads - 1` helpers. They talk by a control block of shared memory, because a message
 * through an event loop would take longer than the work. Until the helpers have started this thread works alone.
 */
export function createSampleCrew(input: SsdSpec["input"], threads: number): SampleCrew {
  const sampler = createSampler(input);
  const pictureBytes = input.width * input.height * 3;
  const control = new Int32Array(new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT));
  const helpers = Array.from({ length: Math.min(threads - 1, MOST_HELPERS) }, () => startHelper(input, control));
  const sampleRows = (pictures: readonly Picture[], batch: Uint8Array, fromRow: number, toRow: number): void => {
    for (const [i, picture] of pictures.entries()) sampler(picture, batch, i * pictureBytes, fromRow, toRow);
  };
  const waitForHelpers = (): void => {
    for (;;) {
      const done = Atomics.load(control, DONE);
      if (done === helpers.length) return;
      Atomics.wait(control, DONE, done);
    }
  };
  const crew: SampleCrew = {
    get isComplete() {
      return Atomics.load(control, READY) === helpers.length;
    },
    createBatch: (bytes) => new Uint8Array(helpers.length > 0 ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes)),
    sample(pictures, batch) {
      const areShared = pictures.every(({ data }) => data.buffer instanceof SharedArrayBuffer);
      if (helpers.length === 0 || !areShared || !crew.isComplete) {
        sampleRows(pictures, batch, 0, input.height);
        return;
      }
      const own = 1 / (helpers.length + 1) + HEAD_START / pictures.length;
      const rowOf = (helper: number): number =>
        Math.round(input.height * (own + ((1 - own) * helper) / helpers.length));
      Atomics.store(control, DONE, 0);
      for (const [i, { port }] of helpers.entries()) {
        port.postMessage({ pictures, batch, fromRow: rowOf(i), toRow: rowOf(i + 1) } satisfies HelperJob);
      }
      Atomics.add(control, TICKET, 1);
      Atomics.notify(control, TICKET);
      try {
        sampleRows(pictures, batch, 0, rowOf(0));
      } finally {
        waitForHelpers();
      }
    },
    async close() {
      await Promise.all(helpers.map(({ worker }) => worker.terminate()));
    },
  };
  return crew;
}

function startHelper(input: SsdSpec["input"], control: Int32Array): { worker: Worker; port: MessagePort } {
  const { port1, port2 } = new MessageChannel();
  const setup: HelperSetup = { input, control, port: port2 };
  const worker = startWorker(new URL("./sample-worker.ts", import.meta.url), setup, { transferList: [port2] });
  port1.unref();
  worker.unref();
  return { worker, port: port1 };
}
