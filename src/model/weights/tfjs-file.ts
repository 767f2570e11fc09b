// The weights of a tfjs model: a manifest in JSON and the shards that it names, quantised or not.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { MultiboxError } from "../../errors.ts";
import { type NumberFormat, bytesOf, toFloats } from "./number-formats.ts";
import { elementCount, type Tensor, type Tensors } from "./safetensors.ts";

const Weight = z.object({
  name: z.string(),
  shape: z.array(z.int().nonnegative()),
  dtype: z.enum(["float32", "int32", "bool"]),
  quantization: z
    .object({ dtype: z.enum(["uint8", "uint16", "float16"]), scale: z.number().optional(), min: z.number().optional() })
    .optional(),
});
const Groups = z.array(z.object({ paths: z.array(z.string()), weights: z.array(Weight) }));
/** A model's file holds it among other things; weights by themselves have a file that is nothing else. */
const Manifest = z.union([Groups, z.object({ weightsManifest: Groups }).transform((model) => model.weightsManifest)]);

/**
 * All float32 tensors of a tfjs model by TensorFlow's names; `file` is in `folder`, as are the shards. Quantised ones are
 * `value * scale + min`. Fails with WEIGHTS_UNREADABLE where the shards are too short.
 */
export async function readTfjsTensors(folder: string, file = "model.json"): Promise<Tensors> {
  const groups = Manifest.parse(JSON.parse(await readFile(join(folder, file), "utf8")));
  const tensors = new Map<string, Tensor>();
  for (const { paths, weights } of groups) {
    const data = Buffer.concat(await Promise.all(paths.map((path) => readFile(join(folder, path)))));
    let at = 0;
    for (const { name, shape, dtype, quantization } of weights) {
      const format = FORMATS[quantization?.dtype ?? dtype];
      const from = at;
      at += elementCount(shape) * bytesOf(format);
      if (at > data.length) {
        const hint = "Fetch the model again.";
        throw new MultiboxError("WEIGHTS_UNREADABLE", `The shards of ${join(folder, file)} end within ${name}.`, hint);
      }
      if (dtype !== "float32") continue;
      const { scale = 1, min = 0 } = quantization ?? {};
      const stored = toFloats(format, data.subarray(from, at));
      tensors.set(name, { shape, data: quantization ? stored.map((value) => value * scale + min) : stored });
    }
  }
  return tensors;
}

const FORMATS: Readonly<Record<"float32" | "int32" | "bool" | "uint8" | "uint16" | "float16", NumberFormat>> = {
  float32: "F32",
  int32: "I32",
  bool: "BOOL",
  uint8: "U8",
  uint16: "U16",
  float16: "F16",
};
