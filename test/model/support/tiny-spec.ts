// Specs that are small enough to type out what comes of them.
import type { SsdSpec } from "../../../src/model/spec.ts";
import { SSDLITE_MOBILENET_V2 } from "../../../src/model/specs.ts";

/** One map of one cell with one box that covers the picture, a background and two labels; any part may be another. */
export function tinySpec(parts: Partial<SsdSpec> = {}): SsdSpec {
  return {
    ...SSDLITE_MOBILENET_V2,
    name: "tiny",
    maps: [{ cells: 1, boxes: [{ scale: 1, ratio: 1 }] }],
    labels: [null, "cat", "dog"],
    ...parts,
  };
}
