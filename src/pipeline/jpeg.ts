// Pictures as JPEG, off the main thread. Knows no stream; who may ask for how many is the caller's business.
import type { Worker } from "node:worker_threads";
// Native libraries of a worker stay loaded only when the main thread has loaded them first (sharp's manual, "Worker threads").
import "sharp";
import { MultiboxError } from "../errors.ts";
import type { Picture } from "../model/detection.ts";
import { startWorker } from "../worker-entry.ts";
import type { JpegReply, JpegRequest } from "./jpeg-worker.ts";

export interface Jpeg {
  readonly data: Uint8Array<ArrayBuffer>;
  readonly width: number;
  readonly height: number;
}

export interface JpegOptions {
  /** The JPEG is at most this wide, its shape kept. Default: as wide as the picture. */
  readonly width?: number | undefined;
  /** 1..100, default 80. */
  readonly quality?: number | undefined;
}

interface Pending {
  readonly width: number;
  readonly height: number;
  readonly resolve: (jpeg: Jpeg) => void;
  readonly reject: (error: MultiboxError) => void;
}

const WORKER = new URL("./jpeg-worker.ts", import.meta.url);

/** Encodes in one worker thread, which is started by the first picture, and again by the next one should it die. */
export class JpegEncoder {
  readonly #pending = new Map<number, Pending>();
  #worker: Worker | undefined;
  #lastId = 0;
  #closed = false;

  /**
   * A picture in shared memory is read where it lies, so its buffer must stay as it is until the promise is settled.
   * Fails with JPEG_FAILED, JPEG_WORKER_DIED or JPEG_CLOSED.
   */
  encode(picture: Picture, options: JpegOptions = {}): Promise<Jpeg> {
    if (this.#closed) return Promise.reject(closedError());
    const width = Math.max(1, Math.min(picture.width, options.width ?? picture.width));
    const height = Math.max(1, Math.round((picture.height * width) / picture.width));
    const id = (this.#lastId += 1);
    const request: JpegRequest = { id, picture, width, height, quality: options.quality ?? 80 };
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { width, height, resolve, reject });
      this.#worker ??= this.#start();
      this.#worker.postMessage(request);
    });
  }

  /** The thread, while there is one. */
  get worker(): Worker | undefined {
    return this.#worker;
  }

  /** Idempotent. Pictures that are not done fail with JPEG_CLOSED. */
  async close(): Promise<void> {
    this.#closed = true;
    const worker = this.#worker;
    this.#worker = undefined;
    this.#failAll(closedError());
    await worker?.terminate();
  }

  #start(): Worker {
    const worker = startWorker(WORKER, undefined);
    const died = (reason: string): void => {
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      this.#failAll(new MultiboxError("JPEG_WORKER_DIED", `The thread that makes JPEGs died: ${reason}.`));
    };
    worker.on("message", (reply: JpegReply) => this.#settle(reply));
    worker.on("error", (error: Error) => died(error.message));
    worker.on("exit", (code) => died(`exit code ${code}`));
    return worker;
  }

  #settle(reply: JpegReply): void {
    const pending = this.#pending.get(reply.id);
    if (!pending) return;
    this.#pending.delete(reply.id);
    if ("data" in reply) pending.resolve({ data: reply.data, width: pending.width, height: pending.height });
    else pending.reject(new MultiboxError("JPEG_FAILED", `A picture could not be made a JPEG: ${reply.error}.`));
  }

  #failAll(error: MultiboxError): void {
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of pending) reject(error);
  }
}

function closedError(): MultiboxError {
  return new MultiboxError("JPEG_CLOSED", "The server is stopping, it makes no more pictures.");
}
