// Opens models as the settings say: the server's own, and those that streams name.
import type { Logger } from "pino";
import { type Config, postProcessOf } from "../config.ts";
import { MultiboxError } from "../errors.ts";
import type { Detector } from "../model/detector.ts";
import type { ModelStore } from "../server/models/model-store.ts";
import { openDetector } from "../model/detector-pool.ts";
import { findShown } from "./model-folder.ts";

export interface ModelOpener {
  /** The model that the setting `model` names. */
  readonly openDefault: () => Promise<Detector>;
  /** One that a stream names, warmed. MODEL_NOT_ALLOWED for a folder that the settings do not name. */
  readonly openNamed: (model: string) => Promise<Detector>;
  /** Workers that died or hung and were replaced, by the code of the error. */
  readonly deaths: ReadonlyMap<string, number>;
}

/** `store` says what was trained here: `name` means its version in use, `name@3` its third. */
export function modelOpener(config: Config, cacheDir: string, store: ModelStore, logger: Logger): ModelOpener {
  const deaths = new Map<string, number>();
  const open = async (model: string): Promise<Detector> => {
    const folder = store.resolve(model) ?? (await findShown(model.replace(/@0$/, ""), cacheDir, config.engine)).folder;
    return openDetector({
      folder,
      engine: config.engine,
      precision: config.precision,
      cacheDir,
      workers: config.workers,
      maxBatch: config.maxBatch,
      minScore: config.minScore,
      postProcess: postProcessOf(config),
      timeoutMs: config.engineTimeoutSeconds * 1000,
      onDeath: (error) => {
        deaths.set(error.code, (deaths.get(error.code) ?? 0) + 1);
        logger.error({ code: error.code, model }, error.toString());
      },
    });
  };
  // A stream may be a client's, and clients do not get to choose which files of this machine are read.
  const isConfigured = (model: string): boolean => config.streams.some((stream) => stream.model === model);
  return {
    deaths,
    openDefault: () => open(config.model),
    openNamed: async (model) => {
      if (/[/\\.]/.test(model) && !isConfigured(model)) {
        const hint = "Give the name of a model, or a stream with this folder in multibox.yaml.";
        throw new MultiboxError("MODEL_NOT_ALLOWED", `The settings name no model "${model}".`, hint);
      }
      const detector = await open(model);
      await detector.warmUp();
      return detector;
    },
  };
}
