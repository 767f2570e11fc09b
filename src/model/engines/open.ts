// Chooses an engine by name, or the best one that opens.
import type { Engine, EngineOptions, Network } from "./engine.ts";

type OpenEngine = (network: Network, options: EngineOptions) => Promise<Engine>;

// Engines are imported on demand, so that a package that is not installed is missed only where it is asked for.
const ENGINES = {
  "onnx:cpu": async (): Promise<OpenEngine> => (await import("./onnx.ts")).openOnnxCpu,
  "tfjs:gpu": async (): Promise<OpenEngine> => (await import("./tfjs.ts")).openTfjsGpu,
  "tfjs:cpu": async (): Promise<OpenEngine> => (await import("./tfjs.ts")).openTfjsCpu,
  "tfjs:wasm": async (): Promise<OpenEngine> => (await import("./tfjs.ts")).openTfjsWasm,
};

/** What a user may ask for. */
export type EngineName = "auto" | keyof typeof ENGINES;
export const ENGINE_NAMES = ["auto", ...Object.keys(ENGINES)] as EngineName[];

/** An engine that was opened, and why this one. */
export interface OpenedEngine {
  readonly engine: Engine;
  readonly reason: string;
}

/** Fails with ENGINE_MISSING where what the engine needs is not installed or, for a GPU, not there. */
export async function openEngine(name: EngineName, network: Network, options: EngineOptions): Promise<OpenedEngine> {
  const open = await ENGINES[name === "auto" ? "onnx:cpu" : name]();
  const reason = name === "auto" ? "it is fast on any CPU" : "it was asked for";
  return { engine: await open(network, options), reason };
}
