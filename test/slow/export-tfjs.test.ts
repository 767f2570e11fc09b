// SSD300 exported for TensorFlow.js and run there on WebAssembly says what onnx:cpu says. Takes seconds and a gigabyte.
import { expect, test } from "vitest";
import { openOnnxCpu } from "../../src/model/engines/onnx.ts";
import { exportTfjs } from "../../src/model/export/tfjs.ts";
import { buildSsd } from "../../src/model/networks/ssd.ts";
import { SPECS } from "../../src/model/specs.ts";
import { worstDifference } from "../model/support/differences.ts";
import { runGraphModel, withGraphModel } from "../model/support/graph-model.ts";
import { livelyWeights } from "../model/support/lively-weights.ts";
import { drawPicture } from "../model/support/pictures.ts";

test("SSD300's offsets and logits are equal to 1e-3", async () => {
  const spec = SPECS.find(({ name }) => name === "ssd300-vgg16-voc")!;
  const graph = buildSsd(spec);
  const weights = livelyWeights(graph, spec.labels.length, 1);
  const { data } = drawPicture(300, 300, 1);
  const engine = await openOnnxCpu({ graph, weights }, { threads: 0, precision: "fp32" });
  try {
    const wanted = await engine.run(data, 1);
    const files = exportTfjs({ spec, graph, weights, provenance: { source: "a test", licence: "none" } });
    expect(files.size).toBe(1 + 26);
    const found = await withGraphModel(files, (model) => runGraphModel(model, data, [300, 300]));
    expect(worstDifference(found.offsets, wanted.offsets)).toBeLessThan(1e-3);
    expect(worstDifference(found.logits, wanted.logits)).toBeLessThan(1e-3);
  } finally {
    await engine.close();
  }
});
