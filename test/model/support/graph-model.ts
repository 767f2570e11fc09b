// An exported TensorFlow.js folder as a browser meets it: fetched from an HTTP server by `tf.loadGraphModel`, run on WebAssembly.
import * as tf from "@tensorflow/tfjs";
import "@tensorflow/tfjs-backend-wasm";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { RawHeads } from "../../../src/model/engines/engine.ts";

/** Loads the folder's files, hands the model to `use`, takes both down and returns what that returned. */
export async function withGraphModel<Result>(
  files: ReadonlyMap<string, Uint8Array>,
  use: (model: tf.GraphModel) => Promise<Result>,
): Promise<Result> {
  // Or it would advise to install a faster backend.
  tf.env().set("IS_TEST", true);
  await tf.setBackend("wasm");
  const server = createServer((request, response) => {
    const file = files.get(request.url!.slice(1));
    response.statusCode = file ? 200 : 404;
    response.setHeader(
      "content-type",
      request.url!.endsWith(".json") ? "application/json" : "application/octet-stream",
    );
    response.end(file);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const model = await tf.loadGraphModel(`http://127.0.0.1:${(server.address() as AddressInfo).port}/model.json`);
    try {
      return await use(model);
    } finally {
      model.dispose();
    }
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** The heads for pictures that lie one behind the other. */
export async function runGraphModel(model: tf.GraphModel, batch: Uint8Array, [height, width]: Size): Promise<RawHeads> {
  const n = batch.length / (height * width * 3);
  const pictures = tf.tensor4d(Int32Array.from(batch), [n, height, width, 3], "int32");
  const answer = model.execute({ pictures }, ["offsets", "logits"]) as [tf.Tensor, tf.Tensor];
  try {
    return { offsets: await answer[0].data<"float32">(), logits: await answer[1].data<"float32">() };
  } finally {
    tf.dispose([pictures, answer]);
  }
}
type Size = readonly [height: number, width: number];
