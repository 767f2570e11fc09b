// Opens the WebAssembly that samples YUV: built from kernels/sample.ts, without imports, with a memory that its caller lays out.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { MultiboxError, sentenceOf } from "../../errors.ts";

/** One instance with its own memory. Not thread-safe; as many as wanted. */
export interface SampleKernel {
  /** The memory, at least as large as was last asked for. Views of it from before may be dead. */
  bytes(atLeast: number): Uint8Array<ArrayBuffer>;
  /** See kernels/sample.ts. */
  sampleRows(
    rows: number,
    rowsEnd: number,
    columns: number,
    columnsEnd: number,
    colours: number,
    out: number,
    stride: number,
  ): void;
}

interface KernelExports {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  readonly sampleRows: SampleKernel["sampleRows"];
}

// What is used of the standard API. Node's types leave it to those of browsers.
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
};

const PAGE = 65536;

/** Fails with KERNEL_UNAVAILABLE. package.json says where it is built to, for sources, compiled code and benches alike. */
export function openSampleKernel(file = "#kernels/sample.wasm"): SampleKernel {
  const { memory, sampleRows } = instantiate(file);
  let view = new Uint8Array(memory.buffer);
  return {
    bytes(atLeast) {
      if (atLeast > view.length) {
        memory.grow(Math.ceil((atLeast - view.length) / PAGE));
        view = new Uint8Array(memory.buffer);
      }
      return view;
    },
    sampleRows,
  };
}

function instantiate(file: string): KernelExports {
  try {
    const bytes = readFileSync(createRequire(import.meta.url).resolve(file));
    return new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as KernelExports;
  } catch (error) {
    throw new MultiboxError(
      "KERNEL_UNAVAILABLE",
      `The code that samples pictures cannot be loaded: ${sentenceOf(error).split("\n")[0]}.`,
      "Build it with `npm run build:kernels`; it needs a processor with 128-bit SIMD (SSE4.1 or NEON).",
      { cause: error },
    );
  }
}
