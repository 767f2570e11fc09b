// Files of Caffe (`.caffemodel`): the learned blobs of a net by the names of its layers.
import { readFile } from "node:fs/promises";
import protobuf from "protobufjs/light.js";
import { MultiboxError, sentenceOf } from "../../errors.ts";
import { toFloats } from "./number-formats.ts";
import { elementCount, type Tensor, type Tensors } from "./safetensors.ts";

/**
 * The blobs of each layer as `LAYER.weight` and `LAYER.bias` (`LAYER.2` ... where there are more), of new nets and of those from before
 * 2014. A shape of four sizes that begins with 1, 1 is a matrix or a row, as Caffe had no other shapes once. Fails with WEIGHTS_UNREADABLE.
 */
export async function readCaffe(file: string): Promise<Tensors> {
  const tensors = new Map<string, Tensor>();
  for (const { name, blobs } of layersOf(await readFile(file), file)) {
    for (const [i, blob] of blobs.entries()) {
      const key = `${name}.${["weight", "bias"][i] ?? i}`;
      const shape = shapeOf(blob);
      const count = elementCount(shape);
      const { length } = blob.data;
      const format = length === count * 4 ? "F32" : undefined;
      if (!format || !Number.isSafeInteger(count))
        throw unreadable(file, `${key} has ${length} bytes of numbers and the shape ${shape.join("x")}`);
      tensors.set(key, { shape, data: toFloats(format, blob.data) });
    }
  }
  if (tensors.size === 0) throw unreadable(file, "there are no layers with weights in it");
  return tensors;
}

interface Blob {
  readonly data: Uint8Array;
  readonly shape?: { readonly dim: readonly number[] } | null;
  readonly num: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

interface Layer {
  readonly name: string;
  readonly blobs: readonly Blob[];
}

/** What is read of Caffe's `caffe.proto`. `data` is declared as bytes, which packed floats are, so that it is not copied. */
const SCHEMA: protobuf.INamespace = {
  nested: {
    NetParameter: {
      fields: {
        layers: { rule: "repeated", type: "V1LayerParameter", id: 2 },
        layer: { rule: "repeated", type: "LayerParameter", id: 100 },
      },
    },
    LayerParameter: {
      fields: { name: { type: "string", id: 1 }, blobs: { rule: "repeated", type: "BlobProto", id: 7 } },
    },
    V1LayerParameter: {
      fields: { name: { type: "string", id: 4 }, blobs: { rule: "repeated", type: "BlobProto", id: 6 } },
    },
    BlobProto: {
      fields: {
        num: { type: "int32", id: 1 },
        channels: { type: "int32", id: 2 },
        height: { type: "int32", id: 3 },
        width: { type: "int32", id: 4 },
        data: { type: "bytes", id: 5 },
        shape: { type: "BlobShape", id: 7 },
      },
    },
    BlobShape: { fields: { dim: { rule: "repeated", type: "int32", id: 1 } } },
  },
};

function layersOf(bytes: Buffer, file: string): Layer[] {
  try {
    const net = protobuf.Root.fromJSON(SCHEMA).lookupType("NetParameter").decode(bytes);
    const { layers, layer } = net as unknown as { layers: Layer[]; layer: Layer[] };
    return [...layers, ...layer];
  } catch (cause) {
    throw unreadable(file, `it is no whole message of Protocol Buffers (${sentenceOf(cause)})`);
  }
}

function shapeOf({ shape, num, channels, height, width }: Blob): readonly number[] {
  const sizes = shape ? shape.dim : [num, channels, height, width];
  if (sizes.length !== 4 || sizes[0] !== 1 || sizes[1] !== 1) return sizes;
  return sizes[2] === 1 ? sizes.slice(3) : sizes.slice(2);
}

function unreadable(file: string, why: string): MultiboxError {
  return new MultiboxError("WEIGHTS_UNREADABLE", `${file} is not a readable Caffe model: ${why}.`, "Fetch it again.");
}
