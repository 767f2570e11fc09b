// The worker threads that this process starts, so that tests can kill them, and see that none is left.
import type { Worker } from "node:worker_threads";

export interface Workers {
  /** Those that run, oldest first. */
  readonly alive: Worker[];
  stop(): void;
}

/** Watches from now on until `stop`. */
export function watchWorkers(): Workers {
  const alive: Worker[] = [];
  const add = (worker: Worker): void => {
    alive.push(worker);
    worker.once("exit", () => alive.splice(alive.indexOf(worker), 1));
  };
  process.on("worker", add);
  return { alive, stop: () => process.off("worker", add) };
}
