// Caffe's files, written field by field as Protocol Buffers has them, in the layout of today and that from before 2014.
import type { Tensor, Tensors } from "../../../src/model/weights/safetensors.ts";

/** The bytes of a `.caffemodel` with these blobs, `LAYER.weight` and `LAYER.bias`. */
export function caffeModel(blobs: Tensors, layout: "new" | "old" = "new"): Buffer {
  const layers = new Map<string, Tensor[]>();
  for (const [name, tensor] of blobs) {
    const layer = name.slice(0, name.lastIndexOf("."));
    layers.set(layer, [...(layers.get(layer) ?? []), tensor]);
  }
  const isNew = layout === "new";
  const fields = [...layers].map(([name, tensors]) => {
    const written = tensors.map((tensor) => field(isNew ? 7 : 6, isNew ? newBlob(tensor) : oldBlob(tensor)));
    return field(isNew ? 100 : 2, Buffer.concat([field(isNew ? 1 : 4, Buffer.from(name)), ...written]));
  });
  return Buffer.concat([field(1, Buffer.from("VGG_SSD")), ...fields]);
}

function newBlob({ shape, data }: Tensor): Buffer {
  return Buffer.concat([field(7, field(1, Buffer.concat(shape.map(varint)))), numbers(data)]);
}

/** Four sizes, of which the first are 1 where there were fewer. */
function oldBlob({ shape, data }: Tensor): Buffer {
  const sizes = [...Array.from({ length: 4 - shape.length }, () => 1), ...shape];
  return Buffer.concat([...sizes.flatMap((size, i) => [varint((i + 1) << 3), varint(size)]), numbers(data)]);
}

const numbers = (data: Float32Array): Buffer => field(5, Buffer.from(data.buffer, data.byteOffset, data.byteLength));

/** A field of the wire type "length-delimited". */
function field(id: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([varint((id << 3) | 2), varint(bytes.length), bytes]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Buffer.of(...bytes, rest);
}
