// Chooses an engine by name, or the best one that opens.
import type { Engine, EngineOptions, Network } from "./engine.ts";

/** What a user may ask for. */
export type EngineName = "auto" | "onnx:cpu";

/** An engine that was opened, and why this one. */
export interface OpenedEngine {
  readonly engine: Engine;
  readonly reason: string;
}

/** Engines are imported on demand, so that a package that is not installed is missed only where it is asked for. */
export async function openEngine(name: EngineName, network: Network, options: EngineOptions): Promise<OpenedEngine> {
  const { openOnnxCpu } = await import("./onnx.ts");
  const reason = name === "auto" ? "it is the only engine there is" : "it was asked for";
  return { engine: await openOnnxCpu(network, options), reason };
}
