// The worker's side of a database thread.
import { parentPort } from "node:worker_threads";
import { Answering, type AnsweringOptions, type Call, type DatabaseSpec } from "./answering.ts";

/** Answers the calls of the main thread until that closes the database. */
export function answerCalls(spec: DatabaseSpec, options: AnsweringOptions): void {
  const port = parentPort!;
  const answering = new Answering(spec, (answer) => port.postMessage(answer), options);
  answering.start();
  port.on("message", (message: Call | "close") => {
    if (message === "close") void answering.close().finally(() => port.close());
    else answering.take(message);
  });
}
