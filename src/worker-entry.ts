// Starts a worker thread from its TypeScript name: compiled in dist, as it stands under tsx and vitest.
import { Worker } from "node:worker_threads";

/**
 * A worker thread of this package. `url` names its source, `new URL("./x-worker.ts", import.meta.url)`; beside compiled
 * code the compiled neighbour `x-worker.js` is started. Failures to start arrive as the worker's `error` event.
 */
export function startWorker(url: URL, workerData: unknown): Worker {
  if (!import.meta.url.endsWith(".ts")) return new Worker(new URL(url.href.replace(/\.ts$/, ".js")), { workerData });
  // Node cannot read TypeScript, and a loader that the parent has does not reach its workers.
  const loader = import.meta.resolve("tsx/esm/api");
  const starter = `import(${JSON.stringify(loader)})
    .then(({ register }) => { register(); return import(${JSON.stringify(url.href)}); })
    .catch((error) => setImmediate(() => { throw error; }));`;
  return new Worker(starter, { eval: true, workerData });
}
