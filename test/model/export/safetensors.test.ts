// A model that was exported as safetensors is the same model when it is read back.
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { Bundle } from "../../../src/model/bundle.ts";
import { exportSafetensors, importSafetensors } from "../../../src/model/export/safetensors.ts";
import { SSDLITE_MOBILENET_V2 } from "../../../src/model/specs.ts";
import { readSafetensors, type Tensors, writeSafetensors } from "../../../src/model/weights/safetensors.ts";
import { randomBundle } from "../support/random-bundle.ts";
import { smallSpec } from "../support/small-spec.ts";

const bundle = randomBundle(smallSpec());
const refusal = (why: string): unknown =>
  expect.objectContaining({ code: "WEIGHTS_UNREADABLE", message: expect.stringContaining(why) as string });

/** Shapes and digests: millions of numbers are slow to compare one by one. */
const summary = (weights: Tensors): unknown[] =>
  [...weights].map(([name, { shape, data }]) => [
    name,
    shape,
    createHash("sha256")
      .update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
      .digest("hex"),
  ]);

describe("a safetensors file", () => {
  test("read back is the same model: spec, provenance, weights", () => {
    const { weights, ...rest } = bundle;
    const { weights: read, ...others } = importSafetensors(exportSafetensors(bundle), "small.safetensors");
    expect(others).toEqual({ ...rest, quantization: undefined, ranges: undefined });
    expect(summary(read)).toEqual(summary(weights));
  });

  test("carries the ranges for int8", () => {
    const ranges: Record<string, [number, number]> = { "base.conv0": [-1.5, 6] };
    const quantization = { method: "min-max", pictures: 3, ranges };
    const observed: Bundle = { ...bundle, quantization };
    const read = importSafetensors(exportSafetensors(observed), "small.safetensors");
    expect(read.quantization).toEqual(quantization);
    expect(read.ranges).toEqual(new Map(Object.entries(ranges)));
  });

  test("is plain safetensors to others", () => {
    expect(summary(readSafetensors(exportSafetensors(bundle), "small.safetensors"))).toEqual(summary(bundle.weights));
  });

  test("of someone else is refused, and says why", () => {
    const read = (metadata: Record<string, string>): unknown =>
      importSafetensors(writeSafetensors(bundle.weights, metadata), "other.safetensors");
    const provenance = JSON.stringify(bundle.provenance);
    expect(() => read({})).toThrow(refusal("other.safetensors is no model"));
    for (const metadata of [3, "text", [1]]) {
      const header = JSON.stringify({ __metadata__: metadata });
      const length = Buffer.alloc(8);
      length.writeBigUInt64LE(BigInt(header.length));
      const file = Buffer.concat([length, Buffer.from(header)]);
      expect(() => importSafetensors(file, "odd.safetensors")).toThrow(refusal("its metadata is no JSON object."));
    }
    expect(() => read({ spec: "{", provenance })).toThrow(refusal("no usable spec: it is not JSON"));
    expect(() => read({ spec: "{}", provenance })).toThrow(refusal("no usable spec.name"));
    expect(() => read({ spec: JSON.stringify(SSDLITE_MOBILENET_V2), provenance })).toThrow(
      refusal("head0.logits.project.weight should be 273x576x1x1 and is 21x576x1x1"),
    );
    const maps = JSON.stringify(smallSpec({ maps: SSDLITE_MOBILENET_V2.maps }));
    expect(() => read({ spec: maps, provenance })).toThrow(refusal("the network makes maps of 6x6"));
  });

  test("that lacks a weight is refused by the weight's name", () => {
    const weights = new Map([...bundle.weights].filter(([name]) => name !== "extra0.reduce.bias"));
    const file = exportSafetensors({ ...bundle, weights });
    expect(() => importSafetensors(file, "cut.safetensors")).toThrow(refusal("extra0.reduce.bias should be 256"));
  });
});
