// Finds and loads TensorFlow.js with one of its backends; none of them is a dependency.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import util from "node:util";
import { defaultCacheDir, tfjsNodeFolder } from "../../cache-dir.ts";
import { MultiboxError } from "../../errors.ts";
import type { Tfjs } from "../compile/tfjs.ts";

const PACKAGE = "@tensorflow/tfjs-node-gpu";
const WHOLE_PACKAGE = "@tensorflow/tfjs";
const WASM_PACKAGE = "@tensorflow/tfjs-backend-wasm";

/** TensorFlow.js on TensorFlow, and whether that has a GPU. */
export interface LoadedTensorFlow {
  readonly tf: Tfjs;
  readonly usesGpu: boolean;
}

/** Whether there is something to load; it may fail to load still. */
export function isTensorFlowInstalled(cacheDir: string = defaultCacheDir()): boolean {
  if (existsSync(join(tfjsNodeFolder(cacheDir), "package.json"))) return true;
  try {
    createRequire(import.meta.url).resolve(PACKAGE);
    return true;
  } catch {
    return false;
  }
}

/** The one that `npm run tfjs:build` built, or else the package as npm installed it. Fails with ENGINE_MISSING. */
export function loadTensorFlow(cacheDir: string = defaultCacheDir()): LoadedTensorFlow {
  // tfjs-node 4.22 calls what Node.js 22 and 24 warn about on stderr, and what Node.js 23 has no more.
  const legacy = util as { isNullOrUndefined?: (value: unknown) => boolean; isArray?: (value: unknown) => boolean };
  legacy.isNullOrUndefined = (value) => value === undefined || value === null;
  legacy.isArray = (value) => Array.isArray(value);
  const built = join(tfjsNodeFolder(cacheDir), "package.json");
  const hint = `Run \`npm run tfjs:build\` in a checkout of multibox, or \`npm install ${PACKAGE}\`; the README says which.`;
  let tf: Tfjs;
  try {
    tf = createRequire(existsSync(built) ? built : import.meta.url)(PACKAGE) as Tfjs;
  } catch (cause) {
    throw missing(PACKAGE, hint, cause);
  }
  silence(tf);
  return { tf, usesGpu: (tf.backend() as { isUsingGpuDevice?: boolean }).isUsingGpuDevice === true };
}

/** TensorFlow.js on WebAssembly. Fails with ENGINE_MISSING. */
export function loadWasm(): Tfjs {
  try {
    const require = createRequire(import.meta.url);
    require(WASM_PACKAGE);
    // The very copy that the backend has registered itself with.
    const tf = createRequire(require.resolve(WASM_PACKAGE))("@tensorflow/tfjs-core") as Tfjs;
    silence(tf);
    return tf;
  } catch (cause) {
    throw missing(WASM_PACKAGE, `Run \`npm install ${WASM_PACKAGE}\`.`, cause);
  }
}

/** The same with the gradients of its operations, which only the whole of TensorFlow.js brings. Fails with ENGINE_MISSING. */
export function loadWasmWithGradients(): Tfjs {
  const tf = loadWasm();
  try {
    createRequire(import.meta.url)(WHOLE_PACKAGE);
  } catch (cause) {
    throw missing(WHOLE_PACKAGE, `Run \`npm install ${WHOLE_PACKAGE}\`, or train with onnx:cpu.`, cause);
  }
  return tf;
}

/** No checks that cost time, and no notice where a second copy is loaded: all copies of a thread share one registry. */
function silence(tf: Tfjs): void {
  tf.enableProdMode();
}

function missing(name: string, hint: string, cause: unknown): MultiboxError {
  const isAbsent = String(cause).includes(`Cannot find module '${name}'`);
  const why = isAbsent ? "is not installed" : `cannot be loaded: ${firstLine(cause)}`;
  return new MultiboxError("ENGINE_MISSING", `${name} ${why}.`, hint, { cause });
}

function firstLine(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).split("\n", 1)[0]!.replace(/[.\s]+$/, "");
}
