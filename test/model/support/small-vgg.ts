// A whole SSD on VGG16, quick enough to run on any engine in a test.
import { type ConvOptions, type Graph, GraphBuilder, type Ref } from "../../../src/model/graph.ts";
import type { SsdSpec } from "../../../src/model/spec.ts";
import { SPECS } from "../../../src/model/specs.ts";
import { evenScales } from "../../../src/model/tilings.ts";

/**
 * SSD on VGG16 with an eighth of its channels, on pictures of 140 x 140: a pool that rounds up (35 -> 18), fc6 whose holes reach over the
 * map of 9 x 9, pool5 whose windows overlap, the norm, and extra layers with and without padding.
 */
export function smallVggGraph(): { readonly spec: SsdSpec; readonly graph: Graph } {
  const full = SPECS.find(({ name }) => name === "ssd300-vgg16-voc")!;
  const spec: SsdSpec = {
    ...full,
    name: "small-vgg",
    input: { ...full.input, width: 140, height: 140 },
    maps: evenScales([18, 9, 5, 3], 0.2, 0.9),
    labels: [null, "cat", "dog", "cow"],
  };
  const builder = new GraphBuilder(spec.name);
  const { width, height, mean } = spec.input;
  const conv = (name: string, input: Ref, channels: number, options: ConvOptions): Ref =>
    builder.activation("relu", builder.conv(name, input, channels, options));
  let x = builder.input(width, height, mean, 1 / 64);
  const ends: Ref[] = [];
  for (const [stage, channels] of [8, 16, 32, 64, 64].entries()) {
    for (const i of [1, 2]) x = conv(`base.conv${stage}_${i}`, x, channels, { kernel: 3 });
    ends.push(x);
    const shape = stage === 4 ? { kernel: 3, stride: 1, padding: 1 } : { kernel: 2, stride: 2, ceil: true };
    x = builder.maxPool(`base.pool${stage}`, x, shape);
  }
  x = conv("base.fc7", conv("base.fc6", x, 128, { kernel: 3, dilation: 6 }), 128, {});
  const maps = [builder.l2norm("base.norm", ends[3]!), x];
  for (const [i, options] of [
    { kernel: 3, stride: 2, padding: 1 },
    { kernel: 3, padding: 0 },
  ].entries())
    maps.push(conv(`extra${i}.expand`, conv(`extra${i}.reduce`, maps.at(-1)!, 32, {}), 64, options));
  const heads = (kind: string, columns: number): Ref =>
    builder.rows(
      kind,
      maps.map((map, i) => builder.conv(`head${i}.${kind}`, map, spec.maps[i]!.boxes.length * columns, { kernel: 3 })),
      columns,
    );
  const graph = builder.build(heads("offsets", 4), heads("logits", spec.labels.length));
  return { spec, graph };
}
