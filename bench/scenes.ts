// Scenes to post-process: what a network says of real photos, and synthetic ones that are as sparse or dense as is wished.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type CentreBox, encode } from "../src/model/box-coder.ts";
import type { Heads } from "../src/model/post-process/candidates.ts";
import { decodePicture } from "../src/model/decode-picture.ts";
import { defaultBoxes } from "../src/model/default-boxes.ts";
import { openEngine } from "../src/model/engines/open.ts";
import { createSampler } from "../src/model/sample.ts";
import type { SsdSpec } from "../src/model/spec.ts";
import { random } from "../src/model/random.ts";
import { benchModel, DATA } from "./harness.ts";

/** How a scene is made: so many objects, each of which so many other classes are taken for, too. */
export interface Density {
  readonly objects: number;
  readonly confusions: number;
}

/** By how much the background's logit stands over the others', by the mean; those are normally distributed around 0. */
const BACKGROUND = 12;
const MIN_IOU = 0.4;

/**
 * Objects of sides 0.1..0.5 at random places. Each default box that overlaps one by IoU > 0.4 is regressed to it, a few per
 * cent off, and holds its class, the surer the larger the overlap, and the confusions between about 0.01 and 0.1.
 */
export function syntheticHeads(spec: SsdSpec, { objects, confusions }: Density, seed: number): Heads {
  const next = random(seed);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  const boxes = defaultBoxes(spec);
  const classes = spec.labels.length;
  const logits = Float32Array.from({ length: (boxes.length / 4) * classes }, normal);
  const offsets = Float32Array.from({ length: boxes.length }, normal);
  for (let at = 0; at < logits.length; at += classes) logits[at]! += BACKGROUND;
  const known = [...spec.labels.keys()].filter((classId) => spec.labels[classId] !== null);
  const anyClass = (): number => known[Math.floor(next() * known.length)]!;
  for (let i = 0; i < objects; i++) {
    const object: CentreBox = [next(), next(), 0.1 + 0.4 * next(), 0.1 + 0.4 * next()];
    const [classId, others] = [anyClass(), Array.from({ length: confusions }, anyClass)];
    for (let box = 0; box < boxes.length / 4; box++) {
      const defaultBox = boxes.subarray(box * 4, box * 4 + 4) as unknown as CentreBox;
      const overlap = iou(object, defaultBox);
      if (overlap <= MIN_IOU) continue;
      for (const other of others) logits[box * classes + other] = BACKGROUND - 2 - 2.5 * next();
      logits[box * classes + classId] = BACKGROUND - 3 + (6 * (overlap - MIN_IOU)) / (1 - MIN_IOU) + normal();
      const exact = encode(object, defaultBox, spec.variances);
      for (const [k, value] of exact.entries()) offsets[box * 4 + k] = value + normal() * 0.3;
    }
  }
  return { logits, logitsAt: 0, offsets, offsetsAt: 0 };
}

/** What the default model says of each photo of the test data; none where these are absent. */
export async function photoHeads(): Promise<{ readonly spec: SsdSpec; readonly heads: readonly Heads[] }> {
  const { bundle } = await benchModel();
  const { spec } = bundle;
  const folder = join(DATA, "photos");
  const files = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith(".jpg")) : [];
  const { engine } = await openEngine("auto", bundle, { threads: 0 });
  const sample = createSampler(spec.input);
  const heads: Heads[] = [];
  for (const file of files) {
    const input = new Uint8Array(spec.input.width * spec.input.height * 3);
    sample(await decodePicture(readFileSync(join(folder, file))), input, 0);
    const { offsets, logits } = await engine.run(input, 1);
    heads.push({ offsets: offsets.slice(), offsetsAt: 0, logits: logits.slice(), logitsAt: 0 });
  }
  await engine.close();
  return { spec, heads };
}

function iou(a: CentreBox, b: CentreBox): number {
  const common = (i: 0 | 1): number =>
    Math.min(a[i] + a[i + 2]! / 2, b[i] + b[i + 2]! / 2) - Math.max(a[i] - a[i + 2]! / 2, b[i] - b[i + 2]! / 2);
  const [width, height] = [common(0), common(1)];
  if (width <= 0 || height <= 0) return 0;
  return (width * height) / (a[2] * a[3] + b[2] * b[3] - width * height);
}
