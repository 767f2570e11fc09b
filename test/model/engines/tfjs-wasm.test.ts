// TensorFlow.js on WebAssembly.
import * as tf from "@tensorflow/tfjs-core";
import { openTfjsWasm } from "../../../src/model/engines/tfjs.ts";
import { describeEngine } from "./contract.ts";

describeEngine({
  name: "tfjs:wasm",
  open: openTfjsWasm,
  tolerance: 1e-4,
  sharedThreads: 1,
  leakBatch: 1,
  countTensors: () => tf.memory().numTensors,
});
