// Exported TensorFlow.js folders, opened by TensorFlow.js itself, say what onnx:cpu says.
import { describe, expect, test } from "vitest";
import type { Bundle } from "../../../src/model/bundle.ts";
import type { RawHeads } from "../../../src/model/engines/engine.ts";
import { openOnnxCpu } from "../../../src/model/engines/onnx.ts";
import { exportTfjs, TFJS_FILE } from "../../../src/model/export/tfjs.ts";
import { type Graph, GraphBuilder, type Ref } from "../../../src/model/graph.ts";
import { SsdSpec } from "../../../src/model/spec.ts";
import { defaultBundle } from "../../support/model.ts";
import { worstDifference } from "../support/differences.ts";
import { runGraphModel, withGraphModel } from "../support/graph-model.ts";
import { drawPicture, noisePicture } from "../support/pictures.ts";
import { randomBundle } from "../support/random-bundle.ts";
import { randomWeights } from "../support/random-weights.ts";
import { smallSpec } from "../support/small-spec.ts";

interface Model {
  readonly signature: { readonly inputs: unknown; readonly outputs: unknown };
  readonly userDefinedMetadata: Record<string, string>;
  readonly modelTopology: { readonly node: readonly { readonly name: string; readonly op: string }[] };
  readonly weightsManifest: readonly [{ readonly paths: readonly string[] }];
}

const parse = (files: ReadonlyMap<string, Uint8Array>): Model =>
  JSON.parse(Buffer.from(files.get("model.json")!).toString()) as Model;

/** A bundle around any network, whose spec matters only for its name. */
function bundleOf(build: (graph: GraphBuilder, input: Ref) => [Ref, Ref], size: number): Bundle {
  const builder = new GraphBuilder("a test");
  const [offsets, logits] = build(builder, builder.input(size, size, [120, 110, 100], 1 / 128));
  const graph: Graph = builder.build(builder.rows("offsets", [offsets], 4), builder.rows("logits", [logits], 2));
  const weights = randomWeights(graph, 1);
  return { spec: smallSpec(), provenance: { source: "a test", licence: "none" }, graph, weights };
}

async function onnxHeads(bundle: Bundle, batch: Uint8Array, n: number): Promise<RawHeads> {
  const engine = await openOnnxCpu(bundle, { threads: 1 });
  try {
    const { offsets, logits } = await engine.run(batch, n);
    return { offsets: offsets.slice(), logits: logits.slice() };
  } finally {
    await engine.close();
  }
}

/** How far the exported model's heads are from onnx:cpu's for `n` pictures of `size` x `size`. */
async function apart(bundle: Bundle, size: number, n: number): Promise<number> {
  const pictures = Array.from({ length: n }, (_, i) => (i % 2 === 0 ? drawPicture : noisePicture)(size, size, i + 1));
  const batch = Uint8Array.from(Buffer.concat(pictures.map(({ data }) => data)));
  const wanted = await onnxHeads(bundle, batch, n);
  const found = await withGraphModel(exportTfjs(bundle), (model) => runGraphModel(model, batch, [size, size]));
  return Math.max(worstDifference(found.offsets, wanted.offsets), worstDifference(found.logits, wanted.logits));
}

describe("a TensorFlow.js folder", () => {
  test("of the default model gives onnx:cpu's numbers to 1e-4", async () => {
    expect(await apart(await defaultBundle(), 300, 1)).toBeLessThan(1e-4);
  });

  test("takes several pictures at a time", async () => {
    expect(await apart(randomBundle(smallSpec()), 96, 3)).toBeLessThan(1e-4);
  });

  test.each<[string, (graph: GraphBuilder, input: Ref) => [Ref, Ref]]>([
    [
      "dilation, a pool that rounds up, L2 norm, relu",
      (graph, input) => {
        const first = graph.activation("relu", graph.conv("first", input, 8, { kernel: 3 }));
        const pooled = graph.maxPool("pool", first, { kernel: 2, stride: 2, ceil: true });
        const wide = graph.conv("wide", pooled, 8, { kernel: 3, dilation: 6, padding: 6 });
        const norm = graph.l2norm("norm", graph.activation("relu", wide));
        return [graph.conv("offsets.head", norm, 4), graph.conv("logits.head", pooled, 2, { kernel: 3 })];
      },
    ],
    [
      "padding that is not TensorFlow's, on plain and depthwise convolutions and on pools of negative values",
      (graph, input) => {
        const halved = graph.conv("halved", input, 6, { kernel: 3, stride: 2, padding: 1 });
        const pooled = graph.maxPool("pool", halved, { kernel: 3, stride: 2, padding: 1 });
        const each = { kernel: 3, stride: 2, padding: 1, groups: 6 };
        const depthwise = graph.activation("relu6", graph.conv("depthwise", pooled, 12, each));
        const shrunk = graph.conv("shrunk", depthwise, 4, { kernel: 3, padding: 0 });
        return [shrunk, graph.conv("logits.head", shrunk, 2, { kernel: 3, padding: 1 })];
      },
    ],
    [
      "a convolution that two others read, and sums",
      (graph, input) => {
        const conv = graph.conv("conv", input, 4, { kernel: 3 });
        return [graph.add("sum", conv, graph.activation("relu", conv)), graph.conv("logits.head", conv, 2)];
      },
    ],
  ])("gives onnx:cpu's numbers for %s", async (_, build) => {
    expect(await apart(bundleOf(build, 37), 37, 2)).toBeLessThan(1e-4);
    expect(await apart(bundleOf(build, 42), 42, 1)).toBeLessThan(1e-4);
  });

  test("is model.json and shards of at most 4 MB, and says what it takes, gives and knows", async () => {
    const bundle = await defaultBundle();
    const files = exportTfjs(bundle);
    const { signature, weightsManifest, userDefinedMetadata } = parse(files);
    expect([...files.keys()]).toEqual(["model.json", ...weightsManifest[0].paths]);
    expect(weightsManifest[0].paths).toHaveLength(5);
    for (const [name, bytes] of files) {
      expect(name).toMatch(TFJS_FILE);
      expect(bytes.length).toBeLessThanOrEqual(4 * 2 ** 20);
    }
    const dim = (...sizes: number[]): object => ({ dim: sizes.map((size) => ({ size: `${size}` })) });
    expect(signature).toEqual({
      inputs: { pictures: { name: "pictures:0", dtype: "DT_INT32", tensorShape: dim(-1, 300, 300, 3) } },
      outputs: {
        offsets: { name: "offsets:0", dtype: "DT_FLOAT", tensorShape: dim(-1, 1917, 4) },
        logits: { name: "logits:0", dtype: "DT_FLOAT", tensorShape: dim(-1, 1917, 91) },
      },
    });
    expect(SsdSpec.parse(JSON.parse(userDefinedMetadata["spec"]!))).toEqual(bundle.spec);
  });

  test("has its activations fused into the convolutions", () => {
    const { modelTopology } = parse(exportTfjs(randomBundle(smallSpec())));
    const ops = new Set(modelTopology.node.map(({ op }) => op));
    expect(ops).not.toContain("Relu6");
    expect(ops).toContain("_FusedConv2D");
    expect(ops).toContain("FusedDepthwiseConv2dNative");
  });

  test("is refused for convolutions in groups", () => {
    const bundle = bundleOf((graph, input) => {
      const wide = graph.conv("wide", input, 4);
      return [graph.conv("grouped", wide, 4, { groups: 2 }), graph.conv("logits.head", wide, 2)];
    }, 8);
    const message = expect.stringContaining(
      "grouped: TensorFlow.js has no convolution of 4 channels in 2 groups",
    ) as string;
    expect(() => exportTfjs(bundle)).toThrow(expect.objectContaining({ code: "EXPORT_UNSUPPORTED", message }));
  });
});
