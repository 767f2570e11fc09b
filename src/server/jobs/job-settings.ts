// The server's settings as arguments of `multibox annotate`: a job is done as a stream would be, and goes on as it began.
import type { Config } from "../../config.ts";
import type { DetectorInfo } from "../../model/detector.ts";
import { ENGINE_NAMES } from "../../model/engines/open.ts";
import { type DetectorConfig, detectorFlags, flagsOf } from "../background/detector-flags.ts";

export type JobConfig = DetectorConfig & Pick<Config, "maxBatch" | "minScore">;

/**
 * `model` is a name, or a folder. The engine and the precision are those that the server has chosen: they are part of what a job that
 * was broken off is held to. Options of the job come after these, and win.
 */
export function jobSettings(config: JobConfig, { engine }: Pick<DetectorInfo, "engine">, model: string): string[] {
  const [, chosen, int8] = /^([^\s,]+)( int8)?/.exec(engine) ?? [];
  const name = ENGINE_NAMES.find((known) => known === chosen);
  const used: DetectorConfig = {
    ...config,
    engine: name ?? config.engine,
    precision: name === undefined ? config.precision : int8 ? "int8" : "fp32",
  };
  return [...detectorFlags(used, model), ...flagsOf({ "max-batch": config.maxBatch, "min-score": config.minScore })];
}
