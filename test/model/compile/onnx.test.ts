// The ONNX bytes of a graph, read back by ONNX's own schema, and a network so small that its answer is typed out.
import onnxProto from "onnx-proto";
import { describe, expect, test } from "vitest";
import { compileOnnx } from "../../../src/model/compile/onnx.ts";
import { openOnnxCpu } from "../../../src/model/engines/onnx.ts";
import { type Graph, GraphBuilder, weightShapes } from "../../../src/model/graph.ts";
import { buildSsd } from "../../../src/model/networks/ssd.ts";
import { SSDLITE_MOBILENET_V2 } from "../../../src/model/specs.ts";
import type { Tensors } from "../../../src/model/weights/safetensors.ts";

function zeros(graph: Graph): Tensors {
  return new Map(
    [...weightShapes(graph)].map(([name, shape]) => {
      const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
      return [name, { shape, data }];
    }),
  );
}

describe("the ONNX model of SSDLite-MobileNetV2", () => {
  const graph = buildSsd(SSDLITE_MOBILENET_V2);
  const model = onnxProto.onnx.ModelProto.decode(compileOnnx(graph, zeros(graph)));
  const { input, output, initializer, node } = model.graph!;

  type Info = NonNullable<typeof input>[number];
  const shapeOf = (info: Info): unknown[] =>
    info.type!.tensorType!.shape!.dim!.map(({ dimParam, dimValue }) => dimParam || Number(dimValue));

  test("takes uint8 pictures, batch x height x width x 3, in batches of any size", () => {
    expect(input!.map((info) => [info.name, info.type!.tensorType!.elemType, shapeOf(info)])).toEqual([
      ["pictures", onnxProto.onnx.TensorProto.DataType.UINT8, ["batch", 300, 300, 3]],
    ]);
  });

  test("answers with float32 offsets and logits, a row a default box", () => {
    expect(output!.map((info) => [info.name, info.type!.tensorType!.elemType, shapeOf(info)])).toEqual([
      ["offsets", onnxProto.onnx.TensorProto.DataType.FLOAT, ["batch", 1917, 4]],
      ["logits", onnxProto.onnx.TensorProto.DataType.FLOAT, ["batch", 1917, 91]],
    ]);
  });

  test("declares ONNX opset 13", () => {
    expect(model.opsetImport.map(({ domain, version }) => [domain, Number(version)])).toEqual([["", 13]]);
  });

  test("carries every weight in its shape", () => {
    const shapes = new Map(initializer!.map(({ name, dims }) => [name, dims!.map(Number)]));
    for (const [name, shape] of weightShapes(graph)) expect(shapes.get(name), `weight ${name}`).toEqual([...shape]);
  });

  test("uses no value before it is made, and makes none twice", () => {
    const known = new Set([...input!, ...initializer!].map(({ name }) => name!));
    for (const one of node!) {
      for (const name of one.input!) expect(known, `${one.name} uses ${name}`).toContain(name);
      for (const name of one.output!) {
        expect(known, `${one.name} makes ${name} again`).not.toContain(name);
        known.add(name);
      }
    }
    for (const { name } of output!) expect(known).toContain(name);
  });
});

test("a network of two pixels answers as on paper", async () => {
  // Two pixels beside each other, normalised to (value - 10) * 0.5; offsets: sums of the channels times 1, 2, 3, 4, plus 1;
  // logits: the first channel clipped to 0..6, plus the sum of the channels.
  const builder = new GraphBuilder("two pixels");
  const input = builder.input(2, 1, [10, 10, 10], 0.5);
  const sums = builder.conv("sums", input, 4);
  const clipped = builder.activation("relu6", builder.conv("first", input, 2));
  const logits = builder.add("both", clipped, builder.conv("sum", input, 2));
  const graph = builder.build(builder.rows("offsets", [sums], 4), builder.rows("logits", [logits], 2));
  const weights = new Map([
    ["sums.weight", { shape: [4, 3, 1, 1], data: Float32Array.of(1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4) }],
    ["sums.bias", { shape: [4], data: Float32Array.of(1, 1, 1, 1) }],
    ["first.weight", { shape: [2, 3, 1, 1], data: Float32Array.of(1, 0, 0, -1, 0, 0) }],
    ["first.bias", { shape: [2], data: Float32Array.of(0, 0) }],
    ["sum.weight", { shape: [2, 3, 1, 1], data: Float32Array.of(1, 1, 1, 1, 1, 1) }],
    ["sum.bias", { shape: [2], data: Float32Array.of(0, 0) }],
  ]);
  const engine = await openOnnxCpu({ graph, weights }, { threads: 1 });
  try {
    // Normalised: 2, 0, 1 and 10, -5, -5.
    const answer = await engine.run(Uint8Array.of(14, 10, 12, 30, 0, 0), 1);
    expect([...answer.offsets]).toEqual([4, 7, 10, 13, 1, 1, 1, 1]);
    expect([...answer.logits]).toEqual([2 + 3, 0 + 3, 6 + 0, 0 + 0]);
  } finally {
    await engine.close();
  }
});
