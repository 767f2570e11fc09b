// The weights' file format: byte for byte on the way out, and every way in which a file can be broken on the way in.
import { describe, expect, test } from "vitest";
import { readSafetensors, type Tensors, writeSafetensors } from "../../../src/model/weights/safetensors.ts";

const TENSORS: Tensors = new Map([
  ["a", { shape: [2], data: Float32Array.of(1, -2) }],
  ["b.weight", { shape: [1, 3], data: Float32Array.of(0.5, 0, 3) }],
]);

/** A file with this header and this many bytes of data. */
function fileOf(header: unknown, dataBytes = 0): Uint8Array {
  const json = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, Buffer.alloc(dataBytes)]);
}

describe("a written file", () => {
  const file = Buffer.from(writeSafetensors(TENSORS));
  const headerBytes = Number(file.readBigUInt64LE(0));

  test("begins with the header's length in 8 little-endian bytes, then JSON padded with blanks", () => {
    const header =
      '{"__metadata__":{},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},' +
      '"b.weight":{"dtype":"F32","shape":[1,3],"data_offsets":[8,20]}}';
    expect(headerBytes).toBe(Math.ceil(header.length / 8) * 8);
    expect(file.toString("utf8", 8, 8 + headerBytes)).toBe(header.padEnd(headerBytes, " "));
  });

  test("then holds the numbers, little-endian, one tensor after the other, and nothing else", () => {
    const data = file.subarray(8 + headerBytes);
    expect(data.toString("hex")).toBe(["0000803f", "000000c0", "0000003f", "00000000", "00004040"].join(""));
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8, 9])("aligns its data to 8 bytes under a name of %d letters", (letters) => {
    const named = writeSafetensors(new Map([["n".repeat(letters), { shape: [1], data: Float32Array.of(1) }]]));
    expect((named.length - 4) % 8).toBe(0);
  });

  test("keeps metadata", () => {
    const text = Buffer.from(writeSafetensors(new Map(), { format: "multibox" })).toString("utf8", 8);
    expect(text.trim()).toBe('{"__metadata__":{"format":"multibox"}}');
  });

  test("of a view holds what is viewed", () => {
    const view = Float32Array.of(9, 1, 2, 9).subarray(1, 3);
    const read = readSafetensors(writeSafetensors(new Map([["view", { shape: [2], data: view }]])), "file");
    expect(read.get("view")!.data).toEqual(Float32Array.of(1, 2));
  });
});

describe("reading", () => {
  test("gives back what was written, in its order", () => {
    expect([...readSafetensors(writeSafetensors(TENSORS), "file")]).toEqual([...TENSORS]);
  });

  test("gives back numbers bit for bit, those that are none as well", () => {
    const data = Float32Array.of(0, -0, 1e-45, 3.4e38, Infinity, -Infinity, Number.NaN);
    const tensors = new Map([["odd", { shape: [7], data }]]);
    const read = readSafetensors(writeSafetensors(tensors), "file").get("odd")!;
    expect(new Uint32Array(read.data.slice().buffer)).toEqual(new Uint32Array(data.buffer));
  });

  test("knows scalars, empty tensors and files without any", () => {
    const tensors: Tensors = new Map([
      ["scalar", { shape: [], data: Float32Array.of(7) }],
      ["empty", { shape: [0, 4], data: new Float32Array(0) }],
    ]);
    expect([...readSafetensors(writeSafetensors(tensors), "file")]).toEqual([...tensors]);
    expect(readSafetensors(writeSafetensors(new Map()), "file").size).toBe(0);
  });

  test.each([
    ["F64", Buffer.from(Float64Array.of(1.5, -2).buffer)],
    ["F16", Buffer.from(Uint16Array.of(0x3e00, 0xc000).buffer)],
    ["BF16", Buffer.from(Uint16Array.of(0x3fc0, 0xc000).buffer)],
  ])("makes 32-bit floats of %s", (dtype, data) => {
    const file = fileOf({ a: { dtype, shape: [2], data_offsets: [0, data.length] } });
    const read = readSafetensors(Buffer.concat([file, data]), "file");
    expect(read.get("a")).toEqual({ shape: [2], data: Float32Array.of(1.5, -2) });
  });

  test("takes tensors whose data lies in another order than their names", () => {
    const at = (from: number): unknown => ({ dtype: "F32", shape: [1], data_offsets: [from, from + 4] });
    const header = fileOf({ b: at(4), none: { dtype: "F32", shape: [0], data_offsets: [4, 4] }, a: at(0) });
    const read = readSafetensors(Buffer.concat([header, Buffer.from(Float32Array.of(1, 2).buffer)]), "file");
    expect([...read].map(([name, { data }]) => [name, [...data]])).toEqual([
      ["b", [2]],
      ["none", []],
      ["a", [1]],
    ]);
  });

  test("takes data that is not aligned, from a header without padding", () => {
    const header = { x: { dtype: "F32", shape: [1], data_offsets: [0, 4] } };
    const bytes = Buffer.concat([Buffer.alloc(3), fileOf(header, 4)]).subarray(3);
    expect(readSafetensors(bytes, "file").get("x")!.data).toEqual(Float32Array.of(0));
  });

  const entry = { dtype: "F32", shape: [2], data_offsets: [0, 8] };
  test.each([
    ["nothing in it", new Uint8Array(0), "it has 0 bytes"],
    ["no whole length", new Uint8Array(7), "it has 7 bytes"],
    ["a header longer than itself", fileOf("{}").subarray(0, 9), "its header would have 2 bytes"],
    ["a header of 2^63 bytes", Buffer.alloc(32, 0x80), "its header would have"],
    ["a header that is not JSON", fileOf("{a"), "its header is not JSON"],
    ["a header that is no object", fileOf([1]), "its header is not JSON"],
    ["an entry without a type", fileOf({ a: { ...entry, dtype: undefined } }, 8), "the entry of a is malformed"],
    ["an entry that is null", fileOf({ a: null }), "the entry of a is malformed"],
    ["a side of -2", fileOf({ a: { ...entry, shape: [-2] } }, 8), "the entry of a is malformed"],
    ["one offset", fileOf({ a: { ...entry, data_offsets: [0] } }, 8), "the entry of a is malformed"],
    ["an offset before its data", fileOf({ a: { ...entry, data_offsets: [-8, 0] } }, 8), "the entry of a is malformed"],
    ["another type", fileOf({ a: { ...entry, dtype: "F8_E4M3" } }, 8), "a has type F8_E4M3, which is not read"],
    [
      "half the data of its type",
      fileOf({ a: { ...entry, dtype: "F64" } }, 8),
      "the data of a does not fit its shape 2",
    ],
    [
      "less data than its shape",
      fileOf({ a: { ...entry, shape: [3, 1] } }, 8),
      "the data of a does not fit its shape 3x1",
    ],
    ["data that was cut", fileOf({ a: entry }, 7), "the data of a does not fit its shape 2"],
    [
      "data that overlaps",
      fileOf({ a: entry, b: { ...entry, data_offsets: [4, 12] } }, 12),
      "the data of b begins at byte 4, and that before it ends at 8",
    ],
    [
      "one tensor's data for two",
      fileOf({ a: entry, b: entry }, 8),
      "the data of b begins at byte 0, and that before it ends at 8",
    ],
    [
      "a hole between its tensors",
      fileOf({ b: { ...entry, data_offsets: [12, 20] }, a: entry }, 20),
      "the data of b begins at byte 12, and that before it ends at 8",
    ],
    [
      "a hole before its tensors",
      fileOf({ a: { ...entry, data_offsets: [4, 12] } }, 12),
      "the data of a begins at byte 4, and that before it ends at 0",
    ],
    ["more data than its tensors", fileOf({ a: entry }, 12), "4 bytes at its end are of no tensor"],
    ["offsets that run backwards", fileOf({ a: { ...entry, data_offsets: [8, 0] } }, 8), "does not fit its shape 2"],
  ])("a file with %s is WEIGHTS_UNREADABLE", (_, bytes, why) => {
    expect(() => readSafetensors(bytes, "folder/weights.safetensors")).toThrow(
      expect.objectContaining({
        code: "WEIGHTS_UNREADABLE",
        message: expect.stringMatching(/^folder\/weights\.safetensors is not a readable safetensors file: /),
      }),
    );
    expect(() => readSafetensors(bytes, "file")).toThrow(why);
  });
});
