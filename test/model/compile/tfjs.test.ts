// Every kind of node gives in TensorFlow.js what it gives in ONNX Runtime, on WebAssembly and on TensorFlow.
import { expect, test } from "vitest";
import { compileTfjs, type Tfjs } from "../../../src/model/compile/tfjs.ts";
import { openOnnxCpu } from "../../../src/model/engines/onnx.ts";
import { loadWasm } from "../../../src/model/engines/tfjs-load.ts";
import { type Graph, GraphBuilder, type Ref } from "../../../src/model/graph.ts";
import { worstDifference } from "../support/differences.ts";
import { noisePicture } from "../support/pictures.ts";
import { randomWeights } from "../support/random-weights.ts";
import { findTensorFlow } from "../support/tensorflow.ts";

const [WIDTH, HEIGHT] = [17, 13];

/** A picture through one part of a network. What comes out is the logits, as rows of 4, and the offsets are made of it. */
function graphOf(part: (builder: GraphBuilder, input: Ref) => Ref): Graph {
  const builder = new GraphBuilder("part");
  const stem = builder.conv("stem", builder.input(WIDTH, HEIGHT, [120, 110, 100], 1 / 64), 8, { kernel: 3 });
  const out = part(builder, stem);
  // What is laid out as rows already is no map.
  const map = out.shape[0] === 1 ? stem : out;
  const offsets = builder.rows("offsets", [builder.conv("beside", map, map.shape[0])], 4);
  return builder.build(offsets, out === map ? builder.rows("logits", [map], 4) : out);
}

const PARTS: Record<string, (builder: GraphBuilder, input: Ref) => Ref> = {
  "a convolution that is padded as TensorFlow does": (b, x) => b.conv("c", x, 12, { kernel: 3, stride: 2 }),
  "one that is padded otherwise": (b, x) => b.conv("c", x, 12, { kernel: 3, stride: 2, padding: 1 }),
  "one without padding": (b, x) => b.conv("c", x, 12, { kernel: 3, padding: 0 }),
  "a dilated one, as fc6 is": (b, x) => b.conv("c", x, 12, { kernel: 3, dilation: 6, padding: 6 }),
  "a depthwise one": (b, x) => b.conv("c", x, 8, { kernel: 3, stride: 2, groups: 8 }),
  "a depthwise one that is padded otherwise": (b, x) =>
    b.conv("c", x, 8, { kernel: 3, stride: 2, groups: 8, padding: 1 }),
  "a depthwise one with two outputs a channel": (b, x) => b.conv("c", x, 16, { kernel: 3, groups: 8 }),
  "a grouped one": (b, x) => b.conv("c", x, 12, { kernel: 3, groups: 2 }),
  "pooling that rounds up, over values below zero": (b, x) => b.maxPool("p", x, { kernel: 2, stride: 2, ceil: true }),
  "pooling with a border": (b, x) => b.maxPool("p", x, { kernel: 3, stride: 1, padding: 1 }),
  "pooling with a border and stride 2": (b, x) => b.maxPool("p", x, { kernel: 3, stride: 2, padding: 1 }),
  "the L2 norm": (b, x) => b.l2norm("n", x),
  "relu after a convolution": (b, x) => b.activation("relu", b.conv("c", x, 8)),
  "relu6 after a convolution": (b, x) => b.activation("relu6", b.conv("c", x, 8)),
  "relu of what others read too": (b, x) => b.add("a", b.activation("relu", x), x),
  "relu6 of a sum": (b, x) => b.activation("relu6", b.add("a", x, b.conv("c", x, 8))),
  sigmoid: (b, x) => b.activation("sigmoid", x),
  "softmax of rows": (b, x) => b.activation("softmax", b.rows("r", [x], 4)),
};

const backends: [string, () => Promise<Tfjs>][] = [["wasm", async () => loadWasm()]];
const { tf, missing } = findTensorFlow("tfjs:cpu");
if (tf) backends.push(["tensorflow", async () => tf]);
test.skipIf(missing !== undefined)(`TensorFlow is there (${missing ?? "it is"})`, () => {
  expect(tf!.getBackend()).toBe("tensorflow");
});

test.each(
  backends.flatMap(([backend, load]) =>
    Object.entries(PARTS).map(([title, part]) => [title, backend, load, part] as const),
  ),
)("%s on %s", async (_, backend, load, part) => {
  const graph = graphOf(part);
  const network = { graph, weights: randomWeights(graph, 3) };
  const batch = Uint8Array.from([1, 2, 3].flatMap((seed) => [...noisePicture(WIDTH, HEIGHT, seed).data]));
  const reference = await openOnnxCpu(network, { threads: 1 });
  try {
    const expected = await reference.run(batch, 3);
    const library = await load();
    await library.setBackend(backend);
    const tensors = library.memory().numTensors;
    const compiled = compileTfjs(library, graph, network.weights);
    const pictures = library.tensor4d(Float32Array.from(batch), [3, HEIGHT, WIDTH, 3]);
    const heads = compiled.run(pictures);
    expect(worstDifference(heads.offsets.dataSync(), expected.offsets)).toBeLessThan(1e-4);
    expect(worstDifference(heads.logits.dataSync(), expected.logits)).toBeLessThan(1e-4);
    library.dispose([pictures, heads.offsets, heads.logits]);
    compiled.dispose();
    expect(library.memory().numTensors).toBe(tensors);
  } finally {
    await reference.close();
  }
});
