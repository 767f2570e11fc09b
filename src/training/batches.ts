// Batches in the order that the seed draws, made ahead of the engine by threads that decode and augment.
import { defaultBoxes } from "../model/default-boxes.ts";
import { inputShape } from "../model/graph.ts";
import type { TrainBatch } from "./engines/train-engine.ts";
import type { FeatureCache } from "./feature-cache.ts";
import { Matcher, type Target } from "./match.ts";
import type { PicturePool } from "./pictures/picture-pool.ts";
import type { View } from "./pictures/picture-worker.ts";
import { seedOf, shuffled } from "./seeds.ts";
import { type StartingPoint, targetsOf } from "./starting-point.ts";
import type { TrainSettings } from "./train-settings.ts";
import type { DataPicture } from "./truth.ts";

/** A picture to learn from. */
export interface Sample {
  readonly picture: DataPicture;
  readonly targets: readonly Target[];
}

/** A batch for the engine, and whose pictures are in it. */
export interface NamedBatch extends TrainBatch {
  readonly pictures: readonly string[];
}

/** Batches that are being made while the engine has one. */
const AHEAD = 3;
/** Of seeds. */
const [ORDER, REPLAY, VIEW] = [2, 3, 4];

export interface BatchOptions {
  readonly samples: readonly Sample[];
  /** Older ones, of which each epoch has its share. */
  readonly replay: readonly Sample[];
  readonly start: StartingPoint;
  readonly pool: PicturePool;
  /** Where the engine is given features and not pictures. */
  readonly features?: { readonly cache: FeatureCache; readonly sizes: ReadonlyMap<string, number> } | undefined;
  readonly settings: TrainSettings & { readonly variants: number; readonly leastPatch: number };
}

export class Batches {
  /** Of an epoch. What is left over of the pictures is another one each epoch. */
  readonly steps: number;
  readonly #options: BatchOptions;
  readonly #all: readonly Sample[];
  readonly #batch: number;
  readonly #replayed: number;
  readonly #matcher: Matcher;

  constructor(options: BatchOptions) {
    const { samples, replay, settings, start } = options;
    this.#options = options;
    this.#all = [...samples, ...replay];
    const { replayShare } = settings;
    this.#replayed = replay.length === 0 ? 0 : Math.round((samples.length * replayShare) / (1 - replayShare));
    const count = samples.length + this.#replayed;
    this.#batch = Math.min(settings.batch, count);
    this.steps = Math.floor(count / this.#batch);
    const { spec } = start.bundle;
    this.#matcher = new Matcher(defaultBoxes(spec), spec.variances);
  }

  /** Those of an epoch, from step `from` of it on. Fails as reading pictures does. */
  async *epoch(epoch: number, from: number): AsyncGenerator<NamedBatch, void> {
    const order = this.#order(epoch);
    const making: Promise<NamedBatch>[] = [];
    for (let step = from; step < this.steps; step++) {
      for (let next = step + making.length; next < Math.min(step + AHEAD, this.steps); next++) {
        const made = this.#make(order.slice(next * this.#batch, (next + 1) * this.#batch), epoch);
        // Whoever stops before this one never looks at it.
        made.catch(() => undefined);
        making.push(made);
      }
      yield await making.shift()!;
    }
  }

  /** All own samples, and the share of older ones: so many of them, each as often as the others over the epochs. */
  #order(epoch: number): number[] {
    const { samples, replay, settings } = this.#options;
    const first = epoch * this.#replayed;
    const replayed: number[] = [];
    for (let at = first; at < first + this.#replayed;) {
      const [round, begin] = [Math.floor(at / replay.length), at % replay.length];
      const part = shuffled(replay.length, seedOf(settings.seed, REPLAY, round)).slice(
        begin,
        begin + first + this.#replayed - at,
      );
      replayed.push(...part.map((place) => samples.length + place));
      at += part.length;
    }
    const places = [...samples.keys(), ...replayed];
    return shuffled(places.length, seedOf(settings.seed, ORDER, epoch)).map((at) => places[at]!);
  }

  async #make(places: readonly number[], epoch: number): Promise<NamedBatch> {
    const { features, start } = this.#options;
    const pictures = places.map((at) => this.#all[at]!.picture.file);
    if (!features) {
      const views = await Promise.all(places.map((at) => this.#view(at, epoch)));
      const [, height, width] = inputShape(start.bundle.graph);
      const pixels = new Uint8Array(places.length * height * width * 3);
      for (const [i, view] of views.entries()) pixels.set(view.pixels, i * height * width * 3);
      const targets = views.map((view) => this.#matcher.targetsOf(view.targets));
      return { inputs: new Map([["pictures", pixels]]), targets, pictures };
    }
    const { cache, sizes } = features;
    const inputs = new Map([...sizes].map(([name, size]) => [name, new Float32Array(size * places.length)] as const));
    const targets = places.map(async (sample, i) => {
      const variant = epoch % this.#options.settings.variants;
      const own = new Float32Array([...sizes.values()].reduce((sum, size) => sum + size, 0));
      const seen = await cache.read({ sample, variant }, own, () => this.#view(sample, variant));
      let at = 0;
      for (const [name, size] of sizes) {
        inputs.get(name)!.set(own.subarray(at, at + size), i * size);
        at += size;
      }
      return this.#matcher.targetsOf(seen);
    });
    return { inputs, targets: await Promise.all(targets), pictures };
  }

  #view(place: number, variant: number): Promise<View> {
    const { pool, settings } = this.#options;
    const { picture, targets } = this.#all[place]!;
    const { augment, zoomOut, leastPatch, seed } = settings;
    const drawn = augment ? { seed: seedOf(seed, VIEW, place, variant), zoomOut, leastPatch } : undefined;
    return pool.view(picture, targets, drawn);
  }
}

/** What is to be learnt from the pictures of a data set. */
export function samplesOf(pictures: readonly DataPicture[], columnOf: StartingPoint["columnOf"]): Sample[] {
  return pictures.map((picture) => ({ picture, targets: targetsOf(picture, columnOf) }));
}
