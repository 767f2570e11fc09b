// TensorFlow on the CPU.
import { openTfjsCpu } from "../../../src/model/engines/tfjs.ts";
import { testCacheDir } from "../../support/model.ts";
import { findTensorFlow } from "../support/tensorflow.ts";
import { describeEngine } from "./contract.ts";

const { tf, missing } = findTensorFlow("tfjs:cpu");

describeEngine({
  name: "tfjs:cpu",
  open: (network, options) => openTfjsCpu(network, { ...options, cacheDir: testCacheDir() }),
  tolerance: 1e-4,
  sharedThreads: Number(process.env["TF_NUM_INTRAOP_THREADS"]),
  leakBatch: 1,
  countTensors: () => tf!.memory().numTensors,
  ...(missing !== undefined && { missing }),
});
