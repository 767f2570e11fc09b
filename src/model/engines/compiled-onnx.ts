// A network as onnx:cpu runs it: made of graph and weights once, and opened in as many threads as there are.
import { compileOnnx } from "../compile/onnx.ts";
import type { Graph } from "../graph.ts";
import type { EngineOptions, Floor, Network } from "./engine.ts";
import { choosePrecision } from "./precision.ts";

/** Plain data, for other threads too. */
export interface CompiledOnnx {
  readonly graph: Graph;
  readonly isInt8: boolean;
  readonly floor?: Floor | undefined;
  /** The bytes of an ONNX model; may lie in shared memory. */
  readonly model: Uint8Array;
}

/** Fails with PRECISION_UNAVAILABLE where int8 is asked for and the network was never observed. */
export function compileForCpu(
  network: Network,
  { precision, floor }: Pick<EngineOptions, "precision" | "floor">,
): CompiledOnnx {
  const { graph, weights, ranges } = network;
  const isInt8 = choosePrecision(network, precision) === "int8";
  return { graph, isInt8, floor, model: compileOnnx(graph, weights, isInt8 ? ranges : undefined, floor) };
}
