// A model that nobody has trained.
import type { Bundle } from "../../../src/model/bundle.ts";
import { buildSsd } from "../../../src/model/networks/ssd.ts";
import type { SsdSpec } from "../../../src/model/spec.ts";
import { randomWeights } from "./random-weights.ts";

export function randomBundle(spec: SsdSpec, seed = 1): Bundle {
  const graph = buildSsd(spec);
  return { spec, provenance: { source: "a test", licence: "none" }, graph, weights: randomWeights(graph, seed) };
}
