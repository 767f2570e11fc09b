// Chooses an engine by name, or the fastest one that opens.
import { MultiboxError } from "../../errors.ts";
import type { CompiledOnnx } from "./compiled-onnx.ts";
import type { Engine, EngineOptions, Network } from "./engine.ts";
import { type Candidate, openFastest } from "./fastest.ts";
import { gpuDevices } from "./gpu-devices.ts";

type OpenEngine = (network: Network, options: EngineOptions) => Promise<Engine>;

// Engines are imported on demand, so that a package that is not installed is missed only where it is asked for.
const ENGINES = {
  "onnx:cpu": async (): Promise<OpenEngine> => (await import("./onnx.ts")).openOnnxCpu,
  "onnx:webgpu": async (): Promise<OpenEngine> => (await import("./onnx-gpu.ts")).openOnnxWebgpu,
  "onnx:cuda": async (): Promise<OpenEngine> => (await import("./onnx-gpu.ts")).openOnnxCuda,
  "tfjs:gpu": async (): Promise<OpenEngine> => (await import("./tfjs.ts")).openTfjsGpu,
  "tfjs:cpu": async (): Promise<OpenEngine> => (await import("./tfjs.ts")).openTfjsCpu,
  "tfjs:wasm": async (): Promise<OpenEngine> => (await import("./tfjs.ts")).openTfjsWasm,
};

/** An engine by its name. */
export type NamedEngine = keyof typeof ENGINES;
/** What a user may ask for. */
export type EngineName = "auto" | NamedEngine;
export const ENGINE_NAMES = ["auto", ...Object.keys(ENGINES)] as EngineName[];

/** An engine that was opened, and why this one. */
export interface OpenedEngine {
  readonly name: NamedEngine;
  readonly engine: Engine;
  readonly reason: string;
}

/** Fails with ENGINE_MISSING where what the engine needs is not installed or, for a GPU, not there. */
export async function openEngine(name: EngineName, network: Network, options: EngineOptions): Promise<OpenedEngine> {
  const candidate = (named: NamedEngine): Candidate<NamedEngine> => ({
    name: named,
    open: async () => (await ENGINES[named]())(network, options),
  });
  if (name !== "auto") return { name, engine: await candidate(name).open(), reason: ASKED_FOR };
  const names = await autoCandidates(options);
  try {
    const choice = await openFastest(names.map(candidate), network);
    return names.length === 1 ? { ...choice, reason: whyCpu(options) } : choice;
  } catch (error) {
    // There are machines that ONNX Runtime has no binary for.
    if (options.precision === "int8" || !(error instanceof MultiboxError) || error.code !== "ENGINE_MISSING")
      throw error;
    const choice = await openFirst([candidate("tfjs:cpu"), candidate("tfjs:wasm")]);
    if (!choice) throw error;
    return { ...choice, reason: `onnx:cpu does not run: ${error.message}` };
  }
}

/** What `openEngine` opens where `name` means onnx:cpu in any case, with a network that was compiled for it already. */
export async function openCompiled(
  name: EngineName,
  network: CompiledOnnx,
  options: EngineOptions,
): Promise<OpenedEngine> {
  const { openCompiledOnnx } = await import("./onnx.ts");
  const reason = name === "auto" ? whyCpu(options) : ASKED_FOR;
  return { name: "onnx:cpu", engine: await openCompiledOnnx(network, options), reason };
}

const ASKED_FOR = "it was asked for";
const whyCpu = ({ precision }: EngineOptions): string =>
  precision === "int8" ? "it alone computes in int8" : "there is no GPU that an engine could use";

/**
 * The engine that it will be, where that is clear without opening it and it is none on a GPU: one that several threads may open at
 * once, each timed by nobody.
 */
export async function foreseenEngine(name: EngineName, options: EngineOptions): Promise<NamedEngine | undefined> {
  if (name !== "auto") return isOnGpu(name) ? undefined : name;
  const [only, ...others] = await autoCandidates(options);
  return others.length === 0 ? only : undefined;
}

/** Whether an engine computes on a GPU, which a process uses from one thread at a time. */
export function isOnGpu(name: EngineName): boolean {
  return name === "onnx:webgpu" || name === "onnx:cuda" || name === "tfjs:gpu";
}

/** Whether an engine, or one that `auto` may choose, is of ONNX Runtime. */
export function needsOnnxRuntime(name: EngineName): boolean {
  return name === "auto" || name.startsWith("onnx:");
}

/** Whether a thread may be ended in the midst of a run of it without harm to the process. What is native may abort it. */
export function bearsTermination(name: EngineName): boolean {
  return name === "tfjs:wasm";
}

/**
 * The engines that may be the fastest here: that of the CPU, and those of GPUs that are there and whose files are installed. Other
 * engines for the CPU never are the fastest, and would cost every start a second.
 */
export async function autoCandidates({ precision, cacheDir }: EngineOptions): Promise<NamedEngine[]> {
  const gpu = gpuDevices();
  if (precision === "int8" || !gpu.any) return ["onnx:cpu"];
  const { hasCudaFiles } = await import("./onnx-gpu.ts");
  const { isTensorFlowInstalled } = await import("./tfjs-load.ts");
  return [
    "onnx:cpu",
    "onnx:webgpu",
    ...(gpu.nvidia && hasCudaFiles(cacheDir) ? ["onnx:cuda" as const] : []),
    ...(gpu.nvidia && isTensorFlowInstalled(cacheDir) ? ["tfjs:gpu" as const] : []),
  ];
}

async function openFirst(
  candidates: readonly Candidate<NamedEngine>[],
): Promise<{ name: NamedEngine; engine: Engine } | undefined> {
  for (const { name, open } of candidates) {
    try {
      return { name, engine: await open() };
    } catch {
      // The next one, then; what is wrong with the best is said where none opens.
    }
  }
  return undefined;
}
