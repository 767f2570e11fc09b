// A whole SSDLite for pictures of 96 x 96: every kind of layer, and quick enough to run on any engine in a test.
import type { SsdSpec } from "../../../src/model/spec.ts";
import { SSDLITE_MOBILENET_V2 } from "../../../src/model/specs.ts";
import { evenScales } from "../../../src/model/tilings.ts";

/** 204 default boxes on six maps, a background, a gap and five labels; any part may be another. */
export function smallSpec(parts: Partial<SsdSpec> = {}): SsdSpec {
  return {
    ...SSDLITE_MOBILENET_V2,
    name: "small",
    version: "7",
    input: { ...SSDLITE_MOBILENET_V2.input, width: 96, height: 96 },
    maps: evenScales([6, 3, 2, 1, 1, 1], 0.2, 0.95),
    labels: [null, "cat", "dog", null, "cow", "car", "bus"],
    ...parts,
  };
}
