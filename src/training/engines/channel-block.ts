// How many channels lie beside each other in ONNX Runtime's maps in blocks, which is what the CPU computes at once.
import type * as OnnxRuntime from "onnxruntime-node";
import { onnx } from "../../model/compile/onnx-proto.ts";
import { BLOCKS } from "../backward/parts.ts";

/** More channels than any CPU has in a block. */
const CHANNELS = 64;

/** 16 with AVX-512, 8 with AVX; 0 where there are no such maps. It asks ONNX Runtime to make one of a picture of two pixels. */
export async function channelBlock(ort: typeof OnnxRuntime): Promise<number> {
  const { FLOAT } = onnx.TensorProto.DataType;
  const shape = [1, CHANNELS, 1, 2];
  const dim = shape.map((dimValue) => ({ dimValue }));
  const info = (name: string): ReturnType<typeof onnx.ValueInfoProto.create> =>
    onnx.ValueInfoProto.create({ name, type: { tensorType: { elemType: FLOAT, shape: { dim } } } });
  const node = [{ opType: "ReorderInput", name: "blocks", domain: BLOCKS, input: ["map"], output: ["blocks"] }];
  const opsetImport = [
    { domain: "", version: 16 },
    { domain: BLOCKS, version: 1 },
  ];
  const graph = { name: "blocks", node, input: [info("map")], output: [info("blocks")] };
  const model = onnx.ModelProto.encode(onnx.ModelProto.create({ irVersion: 8, opsetImport, graph })).finish();
  try {
    const session = await ort.InferenceSession.create(model, { intraOpNumThreads: 1, logSeverityLevel: 4 });
    const places = Float32Array.from({ length: CHANNELS * 2 }, (_, place) => place);
    const { blocks } = await session.run({ map: new ort.Tensor("float32", places, shape) });
    await session.release();
    // The second pixel's first channel comes after the first block.
    return (blocks!.data as Float32Array).indexOf(1);
  } catch {
    return 0;
  }
}
