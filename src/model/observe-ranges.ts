// Observes what values a network's nodes take on real pictures, so that int8 can stand for them (static quantisation).
import { MultiboxError } from "../errors.ts";
import type { Quantization } from "./bundle.ts";
import { observedNodes } from "./compile/int8-plan.ts";
import { onnxModel } from "./compile/onnx.ts";
import { onnx, tensorInfo } from "./compile/onnx-proto.ts";
import type { RgbImage } from "./detection.ts";
import type { Network } from "./engines/engine.ts";
import { importOnnxRuntime } from "./engines/onnx-runtime.ts";
import { Histogram } from "./histogram.ts";
import { createSampler } from "./sample.ts";
import type { SsdSpec } from "./spec.ts";

/** min-max: all that was seen. percentile: all but the given share of the least and greatest values, which are cut off. */
export type RangeMethod =
  | { readonly kind: "min-max" }
  | { readonly kind: "percentile"; /** 50..100 */ readonly percent: number };

export interface ObserveOptions {
  readonly method: RangeMethod;
  /** Threads for the network; 0 for one a core. */
  readonly threads: number;
  /** Where ONNX Runtime is, unless it is installed; the user's cache folder by default. */
  readonly cacheDir?: string | undefined;
}

/**
 * Runs the network in fp32 on each picture and returns the range of each node that int8 needs, in five digits. Fails with
 * QUANTIZE_NO_PICTURES where there is none, with WEIGHTS_NOT_FINITE where values overflow, or with ENGINE_MISSING.
 */
export async function observeRanges(
  network: Network & { readonly spec: SsdSpec },
  pictures: AsyncIterable<RgbImage>,
  { method, threads, cacheDir }: ObserveOptions,
): Promise<Quantization> {
  const { graph, spec } = network;
  const { width, height } = spec.input;
  const ort = await importOnnxRuntime(cacheDir);
  const names = observedNodes(graph);
  const session = await ort.InferenceSession.create(withOutputs(network, names), { intraOpNumThreads: threads });
  const histograms = new Map(names.map((name) => [name, new Histogram()]));
  const sample = createSampler(spec.input);
  const pixels = new Uint8Array(width * height * 3);
  let count = 0;
  try {
    for await (const picture of pictures) {
      sample(picture, pixels, 0);
      const answer = await session.run({ pictures: new ort.Tensor("uint8", pixels, [1, height, width, 3]) }, names);
      for (const [name, histogram] of histograms) {
        const values = answer[name]!.data as Float32Array;
        if (!values.every(Number.isFinite)) throw notFinite(graph.name, name);
        histogram.add(values);
      }
      count++;
    }
  } finally {
    await session.release();
  }
  if (count === 0) {
    throw new MultiboxError("QUANTIZE_NO_PICTURES", "There is no picture to observe the network on.", "Give some.");
  }
  const ranges = [...histograms].map(([name, histogram]): [string, [number, number]] => {
    const [min, max] = method.kind === "min-max" ? histogram.range : histogram.rangeWithin(method.percent);
    return [name, [fiveDigits(min), fiveDigits(max)]];
  });
  return {
    method: method.kind === "min-max" ? "min-max" : `percentile ${method.percent}`,
    pictures: count,
    ranges: Object.fromEntries(ranges),
  };
}

function withOutputs({ graph, weights }: Network, names: readonly string[]): Uint8Array {
  const model = onnxModel(graph, weights);
  const shapes = new Map(graph.nodes.map(({ name, shape }) => [name, shape]));
  model.graph!.output = names.map((name) => tensorInfo(name, onnx.TensorProto.DataType.FLOAT, shapes.get(name)!));
  return onnx.ModelProto.encode(model).finish();
}

const fiveDigits = (value: number): number => Number(value.toPrecision(5));

function notFinite(model: string, node: string): MultiboxError {
  return new MultiboxError(
    "WEIGHTS_NOT_FINITE",
    `${model} cannot be quantised: its node ${node} gives numbers that are not finite.`,
    "Its weights are damaged; import or fetch them again.",
  );
}
