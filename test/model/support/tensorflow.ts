// TensorFlow as the tests find it: what `npm run tfjs:build` built, or the package as npm installed it.
import { availableParallelism } from "node:os";
import type { Tfjs } from "../../../src/model/compile/tfjs.ts";
import { setTensorFlowVariables } from "../../../src/model/engines/prepare.ts";
import { loadTensorFlow } from "../../../src/model/engines/tfjs-load.ts";
import { testCacheDir } from "../../support/model.ts";

/** TensorFlow.js on TensorFlow, on the CPU or the GPU of this process; or why there is none. */
export function findTensorFlow(engine: "tfjs:cpu" | "tfjs:gpu"): { tf?: Tfjs; usesGpu: boolean; missing?: string } {
  setTensorFlowVariables(engine, { threads: availableParallelism() });
  const cacheDir = testCacheDir();
  try {
    return loadTensorFlow(cacheDir);
  } catch (error) {
    return { usesGpu: false, missing: (error as Error).message };
  }
}
