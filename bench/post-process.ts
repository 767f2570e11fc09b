// What does post-processing cost? Scenes of SSD300's and SSDLite's shapes, beside the textbook's NMS class by class.
import type { Heads } from "../src/model/post-process/candidates.ts";
import { createPostProcess, type PostProcess } from "../src/model/post-process.ts";
import type { PostProcessSpec, SsdSpec } from "../src/model/spec.ts";
import { SPECS } from "../src/model/specs.ts";
import { createPlainPostProcess } from "../test/model/support/plain-post-process.ts";
import { measure, median, printMachine } from "./harness.ts";
import { type Density, photoHeads, syntheticHeads } from "./scenes.ts";

const ROUNDS = 15;
/** Pictures a round; the plain way takes so much longer that fewer tell as much. */
const [PICTURES, PLAIN_PICTURES] = [40, 4];
const SPARSE: Density = { objects: 6, confusions: 0 };
const DENSE: Density = { objects: 60, confusions: 2 };
const [WIDTH, HEIGHT] = [1280, 720];

interface Scene {
  readonly name: string;
  readonly spec: SsdSpec;
  readonly heads: readonly Heads[];
  readonly settings?: Partial<PostProcessSpec>;
}

printMachine();
console.log(`Milliseconds a picture, medians of ${ROUNDS} rounds; ratio: of the time that the plain way takes.`);
console.log("plain: all scores, all boxes, then for each class sort and greedy NMS, then the best of all.\n");
console.log(`${"".padEnd(56)}candidates   found        ms       min..max     plain    ratio`);
for (const scene of await scenes()) await report(scene);

async function scenes(): Promise<Scene[]> {
  const photos = await photoHeads();
  const synthetic = ["ssd300-vgg16-voc", "ssd300-vgg16-coco", "ssd300-vgg16-torchvision"].flatMap((name) => {
    const spec = SPECS.find((one) => one.name === name)!;
    return Object.entries({ sparse: SPARSE, dense: DENSE }).map(([how, density]): Scene => {
      // Four of each, so that no branch is learned by heart.
      const heads = [1, 2, 3, 4].map((seed) => syntheticHeads(spec, density, seed));
      return { name: `${spec.name}, ${spec.labels.length} classes, ${how}`, spec, heads };
    });
  });
  const [, dense] = synthetic;
  const variants: Scene[] = [
    { ...dense!, name: `${dense!.name}, Soft-NMS`, settings: { suppression: "soft" } },
    { ...dense!, name: `${dense!.name}, over all classes`, settings: { classAgnostic: true } },
  ];
  if (photos.heads.length === 0) console.log("(The test data have no photos: no scenes of the default model.)");
  const real = [0.01, 0.3].map((minScore): Scene => {
    const name = `${photos.spec.name}, ${photos.heads.length} photos, over ${minScore}`;
    return { name, ...photos, settings: { minScore } };
  });
  return [...synthetic, ...variants, ...(photos.heads.length > 0 ? real : [])];
}

async function report({ name, spec, heads, settings: chosen }: Scene): Promise<void> {
  const settings = { ...spec.postProcess, ...chosen };
  const all = { ...settings, suppression: "hard", classAgnostic: false, topKPerClass: undefined } as const;
  const everything = createPostProcess(spec, { ...all, iouThreshold: 1, maxDetections: 1e6 });
  const ours = createPostProcess(spec, settings);
  const run = (postProcess: PostProcess, pictures: number) => async (): Promise<number> => {
    for (let i = 0; i < pictures; i++) postProcess(heads[i % heads.length]!, WIDTH, HEIGHT);
    return pictures;
  };
  const figures = await measure(
    [
      { name: "ours", run: run(ours, PICTURES) },
      { name: "plain", run: run(createPlainPostProcess(spec, settings), PLAIN_PICTURES) },
    ],
    ROUNDS,
  );
  const [times, plain] = [figures.get("ours")!, median(figures.get("plain")!)];
  const mean = (postProcess: PostProcess): string => {
    const counts = heads.map((one) => postProcess(one, WIDTH, HEIGHT).length);
    return (counts.reduce((a, b) => a + b) / counts.length).toFixed(0);
  };
  const spread = `${Math.min(...times).toFixed(2)}..${Math.max(...times).toFixed(2)}`;
  const cells = [mean(everything).padStart(10), mean(ours).padStart(8), median(times).toFixed(3).padStart(10)];
  const last = [spread.padStart(15), plain.toFixed(2).padStart(10), (median(times) / plain).toFixed(4).padStart(9)];
  console.log(`${name.padEnd(56)}${[...cells, ...last].join("")}`);
}
