// An SSD of a few convolutions that nobody has trained, small enough to learn from nothing within a test.
import type { Bundle } from "../../../src/model/bundle.ts";
import { GraphBuilder, type Ref } from "../../../src/model/graph.ts";
import type { SsdSpec } from "../../../src/model/spec.ts";
import { PAPER_POST_PROCESS } from "../../../src/model/specs.ts";
import { evenScales } from "../../../src/model/tilings.ts";
import type { Tensor } from "../../../src/model/weights/safetensors.ts";
import { randomWeights } from "../../model/support/random-weights.ts";
import { smallSpec } from "../../model/support/small-spec.ts";

/** For pictures of 64 x 64: maps of 8 and 4 cells a side. Its spec's base is not what its graph is made of. */
export function tinySsd(labels: readonly string[], seed: number): Bundle {
  const spec: SsdSpec = {
    ...smallSpec(),
    name: "tiny",
    version: "1",
    input: { width: 64, height: 64, resize: "half-pixel", mean: [64, 64, 64], scale: 1 / 64 },
    maps: evenScales([8, 4], 0.25, 0.45),
    scores: "softmax",
    labels: [null, ...labels],
    postProcess: { ...PAPER_POST_PROCESS },
  };
  const builder = new GraphBuilder(spec.name);
  const conv = (name: string, input: Ref, channels: number): Ref =>
    builder.activation("relu", builder.conv(name, input, channels, { kernel: 3 }));
  const half = (input: Ref): Ref => builder.maxPool(`${input.name}.pool`, input, { kernel: 2, stride: 2 });
  let x = builder.input(64, 64, spec.input.mean, spec.input.scale);
  for (const [i, channels] of [16, 32, 64].entries()) x = half(conv(`base.conv${i}`, x, channels));
  const first = conv("base.conv3", x, 64);
  const maps = [first, conv("extra0.expand", half(first), 64)];
  const heads = (kind: string, columns: number): Ref =>
    builder.rows(
      kind,
      maps.map((map, i) => builder.conv(`head${i}.${kind}`, map, spec.maps[i]!.boxes.length * columns, { kernel: 3 })),
      columns,
    );
  const graph = builder.build(heads("offsets", 4), heads("logits", spec.labels.length));
  // Heads that say nothing yet.
  const weights = new Map<string, Tensor>(
    [...randomWeights(graph, seed)].map(([name, { shape, data }]) => [
      name,
      {
        shape,
        data: name.endsWith(".bias") ? data.fill(0) : name.startsWith("head") ? data.map((v) => v * 0.1) : data,
      },
    ]),
  );
  return { spec, graph, weights, provenance: { source: "random numbers", licence: "none" } };
}
