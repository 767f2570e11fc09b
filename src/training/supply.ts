// What a training runs on: the engine, and the batches for it, of pictures or of a frozen base's features on disk.
import { statfs } from "node:fs/promises";
import { join } from "node:path";
import { MultiboxError } from "../errors.ts";
import { elementCount } from "../model/weights/safetensors.ts";
import { shapeOf, weightsOf } from "./backward/plan.ts";
import { Batches, samplesOf } from "./batches.ts";
import { openOnnxTraining } from "./engines/onnx-step.ts";
import type { TrainEngine, TrainEngineOptions } from "./engines/train-engine.ts";
import { FeatureCache } from "./feature-cache.ts";
import { FrozenBase } from "./frozen-base.ts";
import { kindsOf } from "./kinds.ts";
import type { LearningData } from "./learning-data.ts";
import type { PicturePool } from "./pictures/picture-pool.ts";
import type { StartingPoint } from "./starting-point.ts";
import type { TrainSettings } from "./train-settings.ts";

/** What features may take on the disk where nobody says how many are kept, and in how many forms at most. */
const MOST_BYTES = 8e9;
const MOST_VARIANTS = 8;

export interface SupplyOptions {
  readonly data: LearningData;
  readonly start: StartingPoint;
  /** Columns of labels that the model keeps and no training image has, where these are to be ignored. */
  readonly unlabelled?: Uint8Array | undefined;
  readonly pool: PicturePool;
  /** `threads` is a number of threads, and not 0. */
  readonly settings: TrainSettings & { readonly leastPatch: number };
  readonly folder: string;
  readonly cacheDir?: string | undefined;
}

export interface Supply {
  readonly engine: TrainEngine;
  readonly batches: Batches;
  /** In how many forms each image's features are kept; 0 where images go through the whole network at each step. */
  readonly variants: number;
  readonly close: () => Promise<void>;
}

/** Fails with ENGINE_MISSING, DISK_FULL or NOT_WRITABLE. */
export async function openSupply(options: SupplyOptions): Promise<Supply> {
  const { data, start, unlabelled, pool, settings, folder, cacheDir } = options;
  const samples = samplesOf(data.training.pictures, start.columnOf);
  const replay = samplesOf(data.replay?.pictures ?? [], start.columnOf);
  const variants = variantsOf(start, settings, samples.length + replay.length);
  const forms = variants * (samples.length + replay.length);
  const features = forms > 0 ? await openFeatures(start, settings, forms, { folder, cacheDir }) : undefined;
  const engine = await openEngine(start, settings, {
    given: features ? "features" : "pictures",
    loss: { ...settings, scores: start.bundle.spec.scores, kinds: kindsOf(start.bundle.spec), unlabelled },
    threads: settings.threads,
    cacheDir,
  });
  return {
    engine,
    batches: new Batches({ samples, replay, start, pool, features, settings: { ...settings, variants } }),
    variants,
    async close() {
      await engine.close();
      await features?.cache.close();
      await features?.base.close();
    },
  };
}

/** 0 where pictures go through the whole network at each step, as they do where the way up to the frontier is not wholly frozen. */
function variantsOf({ plan }: StartingPoint, { variants, augment }: TrainSettings, count: number): number {
  const { graph, live, frontier } = plan;
  const isFrozen = graph.nodes.some((node) => weightsOf(node).length > 0 && !live.has(node.name));
  if (!isFrozen || frontier.length === 0) return 0;
  const most = augment ? MOST_VARIANTS : 1;
  if (variants !== undefined) return Math.min(variants, augment ? variants : 1);
  return Math.min(most, Math.floor(MOST_BYTES / (count * featureBytes(plan))));
}

function featureBytes({ graph, frontier }: StartingPoint["plan"]): number {
  return frontier.reduce((sum, name) => sum + elementCount(shapeOf(graph, name)), 0) * 4;
}

async function openFeatures(
  { plan, bundle }: StartingPoint,
  { threads }: TrainSettings,
  forms: number,
  { folder, cacheDir }: Pick<SupplyOptions, "folder" | "cacheDir">,
): Promise<{ readonly cache: FeatureCache; readonly base: FrozenBase; readonly sizes: ReadonlyMap<string, number> }> {
  const base = await FrozenBase.open(plan, bundle.weights, threads, cacheDir);
  const cache = await FeatureCache.open(join(folder, "features.bin"), base);
  const { bavail, bsize } = await statfs(folder);
  const needed = forms * featureBytes(plan);
  if (needed <= bavail * bsize) return { cache, base, sizes: base.sizes };
  await cache.close();
  await base.close();
  const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;
  throw new MultiboxError(
    "DISK_FULL",
    `The features of the frozen base take ${gigabytes(needed)}, and ${folder} has ${gigabytes(bavail * bsize)} left.`,
    "Free some, or keep fewer variants: 0 keeps none.",
  );
}

async function openEngine(
  { plan, bundle }: StartingPoint,
  { engine }: TrainSettings,
  options: TrainEngineOptions,
): Promise<TrainEngine> {
  if (engine === "onnx:cpu") return await openOnnxTraining(plan, bundle.weights, options);
  const { openTfjsTraining } = await import("./engines/tfjs-step.ts");
  return await openTfjsTraining(engine, plan, bundle.weights, options);
}
