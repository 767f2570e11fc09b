// Named tensors in a file, in the safetensors format: 8 bytes of header length, a JSON header, the raw little-endian data.
import { z } from "zod";
import { MultiboxError } from "../../errors.ts";
import { bytesOf, type NumberFormat, numberFormat, toFloats } from "./number-formats.ts";
import { recordOf } from "../../record-of.ts";

/** A float32 tensor. */
export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}
export type Tensors = ReadonlyMap<string, Tensor>;

/** How many numbers a tensor of this shape has. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

const Entry = z.object({
  dtype: z.string(),
  shape: z.array(z.int().nonnegative()),
  data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
});
const Header = recordOf(z.string(), z.unknown());

/** The file's bytes. Tensors are written in the order of the map; the header is padded so that data is aligned to 8 bytes. */
export function writeSafetensors(tensors: Tensors, metadata: Readonly<Record<string, string>> = {}): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let end = 0;
  for (const [name, { shape, data }] of tensors) {
    header[name] = { dtype: "F32", shape, data_offsets: [end, (end += data.byteLength)] };
  }
  const json = Buffer.from(JSON.stringify(header));
  const headerBytes = Math.ceil(json.length / 8) * 8;
  const file = Buffer.alloc(8 + headerBytes + end, " ");
  file.writeBigUInt64LE(BigInt(headerBytes), 0);
  json.copy(file, 8);
  let at = 8 + headerBytes;
  for (const { data } of tensors.values()) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return file;
}

/**
 * The tensors of a file's bytes as 32-bit floats, whatever they are there; `name` is for the message. Fails with
 * WEIGHTS_UNREADABLE, also where data overlaps or has holes, which the format forbids: a small file could become any amount of memory.
 */
export function readSafetensors(bytes: Uint8Array, name: string): Tensors {
  const fail = (why: string): never => {
    throw new MultiboxError(
      "WEIGHTS_UNREADABLE",
      `${name} is not a readable safetensors file: ${why}.`,
      "Fetch or export it again.",
    );
  };
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (file.length < 8) return fail(`it has ${file.length} bytes`);
  const headerBytes = Number(file.readBigUInt64LE(0));
  if (headerBytes > file.length - 8) return fail(`its header would have ${headerBytes} bytes`);
  const header = parseHeader(file.toString("utf8", 8, 8 + headerBytes)) ?? fail("its header is not JSON");
  const start = 8 + headerBytes;
  const parts: Part[] = [];
  for (const [key, value] of Object.entries(header)) {
    if (key === "__metadata__") continue;
    const entry = Entry.safeParse(value);
    if (!entry.success) return fail(`the entry of ${key} is malformed`);
    const {
      dtype,
      shape,
      data_offsets: [from, to],
    } = entry.data;
    const format = numberFormat(dtype) ?? fail(`${key} has type ${dtype}, which is not read`);
    const count = elementCount(shape);
    if (to - from !== count * bytesOf(format) || start + to > file.length)
      return fail(`the data of ${key} does not fit its shape ${shape.join("x")}`);
    parts.push({ key, shape, format, from, to });
  }
  let end = 0;
  for (const { key, from, to } of parts.toSorted((a, b) => a.from - b.from || a.to - b.to)) {
    if (from !== end) return fail(`the data of ${key} begins at byte ${from}, and that before it ends at ${end}`);
    end = to;
  }
  if (start + end !== file.length) return fail(`${file.length - start - end} bytes at its end are of no tensor`);
  return new Map(
    parts.map(({ key, shape, format, from, to }) => {
      return [key, { shape, data: toFloats(format, file.subarray(start + from, start + to)) }];
    }),
  );
}

/** A tensor that was not yet read: `from` and `to` are bytes of the data. */
interface Part {
  readonly key: string;
  readonly shape: readonly number[];
  readonly format: NumberFormat;
  readonly from: number;
  readonly to: number;
}

function parseHeader(text: string): Record<string, unknown> | undefined {
  try {
    return Header.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
