// A detector thread that does what the picture's width tells it: it loops for ever, it throws, or it finds nothing.
import { parentPort } from "node:worker_threads";
import type { CompiledModel, WorkerReply, WorkerRequest } from "../../../src/model/detector-worker.ts";

/** Widths of pictures that are orders. */
export const LOOP = 13;
export const CRASH = 17;

const port = parentPort!;
const send = (reply: WorkerReply): void => port.postMessage(reply);

port.on("message", (request: WorkerRequest) => {
  if (request.type === "close") {
    port.close();
    return;
  }
  if (request.type === "open") {
    // It has no model, and the others need none.
    if (request.compilesForOthers) send({ type: "compiled", compiled: {} as CompiledModel });
    send({
      type: "ready",
      engine: "onnx:cpu",
      info: { model: { name: "unruly", version: "1" }, labels: [], engine: "none", reason: "a test" },
    });
    return;
  }
  const pictures = request.type === "detect" ? request.pictures : [];
  if (pictures.some(({ width }) => width === CRASH)) throw new Error("it was told to");
  while (pictures.some(({ width }) => width === LOOP));
  send({ type: "result", result: { detections: pictures.map(() => []), inferMs: 0 } });
});
