// `multibox models`: what models there are, and fetching them before they are needed.
import { existsSync } from "node:fs";
import { MultiboxError } from "../errors.ts";
import { modelFolder, pullModel, ZOO } from "../model/zoo.ts";
import { fetchRuntimeShown } from "./model-folder.ts";
import { downloadProgress } from "./terminal.ts";

export interface ModelsOptions {
  readonly cacheDir: string;
  readonly json: boolean;
}

/** Prints the zoo: name, whether it is here, what it is. */
export function listModels({ cacheDir, json }: ModelsOptions): void {
  const models = ZOO.map(({ spec, description, licence, source }) => {
    const folder = modelFolder(spec, cacheDir);
    const cached = existsSync(folder);
    return {
      name: spec.name,
      version: spec.version,
      description,
      licence,
      source: `npm:${source.name}`,
      cached,
      folder,
    };
  });
  if (json) {
    console.log(JSON.stringify(models, null, 2));
    return;
  }
  for (const { name, description, licence, source, cached, folder } of models) {
    console.log(
      `${name}\n  ${description}\n  ${licence}, from ${source}\n  ${cached ? `in ${folder}` : "not fetched yet"}`,
    );
  }
}

/** Fetches models into the cache, again with `force`, and what runs them; prints the folder of each model. */
export async function pullModels(
  names: readonly string[],
  force: boolean,
  { cacheDir, json }: ModelsOptions,
): Promise<void> {
  await fetchRuntimeShown(cacheDir);
  for (const name of names) {
    const model = ZOO.find(({ spec }) => spec.name === name);
    if (!model) {
      const known = ZOO.map(({ spec }) => spec.name).join(", ");
      throw new MultiboxError("MODEL_UNKNOWN", `There is no model "${name}" to fetch.`, `Known are: ${known}.`);
    }
    const progress = downloadProgress(name);
    try {
      const folder = await pullModel(model, { cacheDir, force, onProgress: progress.update });
      progress.stop();
      console.log(json ? JSON.stringify({ name, folder }) : `${name} is in ${folder}`);
    } finally {
      progress.stop();
    }
  }
}
