// The server's settings of detection as arguments of multibox in a child process, each value joined to its flag, so that none is taken for another flag.
import { resolve } from "node:path";
import type { Config } from "../../config.ts";

export type DetectorConfig = Pick<
  Config,
  "engine" | "precision" | "iouThreshold" | "maxDetections" | "nms" | "classAgnostic"
>;

/** `model` is a name, or a folder. What is undefined is left to the command. */
export function detectorFlags(config: DetectorConfig, model: string): string[] {
  const flags = flagsOf({
    model: /[/\\]/.test(model) ? resolve(model) : model,
    engine: config.engine,
    precision: config.precision,
    "iou-threshold": config.iouThreshold,
    "max-detections": config.maxDetections,
    nms: config.nms,
  });
  return config.classAgnostic === true ? [...flags, "--class-agnostic"] : flags;
}

/** By their names without dashes; what is undefined is left out. */
export function flagsOf(values: Readonly<Record<string, string | number | undefined>>): string[] {
  return Object.entries(values).flatMap(([flag, value]) => (value === undefined ? [] : [`--${flag}=${value}`]));
}
