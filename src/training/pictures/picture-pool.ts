// Reads pictures in worker threads, so that the engine never waits for a decoder, and this thread for neither.
import type { Worker } from "node:worker_threads";
import { MultiboxError } from "../../errors.ts";
import type { SsdSpec } from "../../model/spec.ts";
import { startWorker } from "../../worker-entry.ts";
import type { Drawn } from "../augment.ts";
import type { Target } from "../match.ts";
import type { Look, PictureReply, PictureRequest, PictureTask, View } from "./picture-worker.ts";
import type { PictureFile } from "./read-picture.ts";

/** Reading files and decoding overlap in a thread. */
const AT_ONCE = 2;

interface Call {
  readonly task: PictureTask;
  readonly resolve: (result: Look | View) => void;
  readonly reject: (error: MultiboxError) => void;
}

interface Thread {
  readonly worker: Worker;
  /** What it has been given and has not answered. */
  readonly calls: Map<number, Call>;
}

export class PicturePool {
  readonly #threads: Thread[];
  readonly #waiting: Call[] = [];
  #lastId = 0;
  #closing = false;
  #lost: MultiboxError | undefined;

  /** `input` is that of the network that will see the pictures. */
  constructor(input: SsdSpec["input"], threads: number) {
    this.#threads = Array.from({ length: threads }, () => this.#start(input));
  }

  /** Reads a picture as it lies there. Fails as `readPicture` does, with the file's name in the sentence. */
  look(picture: PictureFile): Promise<Look> {
    return this.#ask({ kind: "look", picture: only(picture) }) as Promise<Look>;
  }

  /** What the network is shown of a picture: augmented as is said, or whole where nothing is. Fails likewise. */
  view(picture: PictureFile, targets: readonly Target[], drawn?: Drawn): Promise<View> {
    return this.#ask({ kind: "view", picture: only(picture), targets, drawn }) as Promise<View>;
  }

  /** Idempotent. What has not been answered fails with POOL_CLOSED. */
  async close(): Promise<void> {
    this.#closing = true;
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()));
  }

  #ask(task: PictureTask): Promise<Look | View> {
    if (this.#lost) return Promise.reject(this.#lost);
    const answer = new Promise<Look | View>((resolve, reject) => this.#waiting.push({ task, resolve, reject }));
    // Batches are asked for ahead: who waits for an earlier one that fails never comes to look at this.
    answer.catch(() => undefined);
    this.#next();
    return answer;
  }

  #next(): void {
    while (this.#waiting.length > 0) {
      const thread = this.#threads.reduce((least, other) => (other.calls.size < least.calls.size ? other : least));
      if (thread.calls.size >= AT_ONCE) return;
      const call = this.#waiting.shift()!;
      const id = (this.#lastId += 1);
      thread.calls.set(id, call);
      thread.worker.postMessage({ id, task: call.task } satisfies PictureRequest);
    }
  }

  #start(input: SsdSpec["input"]): Thread {
    const worker = startWorker(new URL("./picture-worker.ts", import.meta.url), input);
    const calls = new Map<number, Call>();
    worker.on("message", (reply: PictureReply) => {
      const call = calls.get(reply.id)!;
      calls.delete(reply.id);
      if ("result" in reply) call.resolve(reply.result);
      else call.reject(errorOf(reply.error, call.task.picture.file));
      this.#next();
    });
    let reason = "it ended";
    worker.on("error", (error) => (reason = error instanceof Error ? error.message : String(error)));
    worker.once("exit", () => {
      const what = this.#closing ? "was closed" : `failed: ${reason}`;
      const error = new MultiboxError("POOL_CLOSED", `The thread that reads pictures ${what}.`);
      this.#lost ??= error;
      for (const call of [...calls.values(), ...this.#waiting.splice(0)]) call.reject(error);
    });
    return { worker, calls };
  }
}

/** A data set's picture has its objects with it, which no thread needs. */
function only({ file, width, height }: PictureFile): PictureFile {
  return { file, width, height };
}

function errorOf(
  { code, message, hint }: { code: string; message: string; hint: string },
  file: string,
): MultiboxError {
  return new MultiboxError(code, `${file}: ${message}`, hint);
}
