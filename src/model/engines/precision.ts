// Decides between fp32 and int8: what was asked for, what the network has ranges for, and what the CPU is made for.
import { existsSync, readFileSync } from "node:fs";
import { MultiboxError } from "../../errors.ts";
import { observedNodes } from "../compile/int8-plan.ts";
import type { EngineOptions, Network, Precision } from "./engine.ts";

/** fp32 when absent. Fails with PRECISION_UNAVAILABLE where int8 is asked for and the network was never observed. */
export function choosePrecision(
  { graph, ranges }: Network,
  precision: Precision = "fp32",
  isFast: () => boolean = hasIntegerDotProducts,
): "fp32" | "int8" {
  if (precision === "auto") {
    // A model that was observed for an older plan lacks some: then it is fp32 until somebody asks for int8.
    const isObserved = ranges !== undefined && observedNodes(graph).every((name) => ranges.has(name));
    return isObserved && isFast() ? "int8" : "fp32";
  }
  if (precision === "int8" && !ranges) {
    throw new MultiboxError(
      "PRECISION_UNAVAILABLE",
      `${graph.name} cannot run in int8: nobody has observed the ranges of its values yet.`,
      "Run `multibox quantize` on some pictures and use the model that it writes, or take --precision fp32.",
    );
  }
  return precision;
}

/** For an engine that has no int8. Fails with PRECISION_UNAVAILABLE where that is asked for. */
export function refuseInt8(engine: string, { precision }: EngineOptions): void {
  if (precision !== "int8") return;
  throw new MultiboxError(
    "PRECISION_UNAVAILABLE",
    `The engine ${engine} computes in fp32 only, not in int8.`,
    "Take --precision fp32, or int8 with --engine onnx:cpu.",
  );
}

/**
 * Whether the CPU multiplies and adds four pairs of bytes in one instruction: VNNI on x64, the dot product on ARM. Without it
 * int8 is no faster, and on x64 sums of two products can overflow 16 bits.
 */
export function hasIntegerDotProducts(platform = process.platform, cpuInfo: () => string = readCpuInfo): boolean {
  if (platform === "darwin") return process.arch === "arm64";
  // Windows does not say what a CPU can without native code.
  if (platform !== "linux") return false;
  return /^(?:flags|Features)\s*:.*\b(?:avx512_vnni|avx_vnni|asimddp)\b/m.test(cpuInfo());
}

function readCpuInfo(): string {
  return existsSync("/proc/cpuinfo") ? readFileSync("/proc/cpuinfo", "utf8") : "";
}
