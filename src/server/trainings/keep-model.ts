// What a training has made becomes the next version of a model, with its report beside it; once, however often that is tried.
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { readBundle } from "../../model/bundle.ts";
import { writeWhole } from "../../whole-file.ts";
import { type ModelVersion, VersionFile } from "../models/model-schemas.ts";
import { type ModelStore, REPORT } from "../models/model-store.ts";
import { CAPTURES } from "./trainings.ts";

/** `folder`: as `multibox train --out` has left it. Fails with MODEL_CORRUPT, DISK_FULL or NOT_WRITABLE. */
export async function keepModel(
  folder: string,
  { name, from }: { readonly name: string; readonly from: string },
  store: ModelStore,
): Promise<ModelVersion> {
  const text = await readFile(join(folder, "version.json"), "utf8");
  const { format: _format, ...facts } = VersionFile.parse(JSON.parse(text));
  const isIt = ({ created, data }: ModelVersion): boolean => created === facts.created && data.hash === facts.data.hash;
  // It is there where a server was killed before it noted that.
  const kept = store.versions(name).find(isIt) ?? (await add());
  const report = await readFile(join(folder, REPORT)).catch(() => undefined);
  if (report) await writeWhole(join(store.folderOf(name, kept.version), REPORT), [report]);
  return kept;

  async function add(): Promise<ModelVersion> {
    const { provenance, ...bundle } = await readBundle(folder);
    // The training's own folder is gone soon.
    const source = provenance.source.replaceAll(join(dirname(dirname(folder)), CAPTURES), "captured frames");
    return store.add(
      name,
      { ...bundle, provenance: { ...provenance, source } },
      { ...facts, parent: from.replace(/@0$/, "") },
    );
  }
}
