// The versions of models that were trained here: a folder each, with a number, and which of them is in use.
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { MultiboxError, sentenceOf } from "../../errors.ts";
import type { z } from "zod";
import { type Bundle, readSpec, writeBundle } from "../../model/bundle.ts";
import { requireFormat, withoutFormat } from "../../file-format.ts";
import { writeFailure, writeWhole } from "../../whole-file.ts";
import { InUse, Numbers, VERSION_FORMAT, VersionFile, type ModelVersion } from "./model-schemas.ts";
import { DataFolder } from "../data-folders.ts";
import { KeyedLock } from "../keyed-lock.ts";
import { leastNumber } from "./version-number.ts";

const IN_USE = "in-use.json";
const VERSION = "version.json";
/** Written where the newest version is deleted. */
const NUMBERS = "numbers.json";
/** Beside a version's model, where its training has left one. */
export const REPORT = "report.html";

/** A model's versions; number 0 is the one of its name that multibox fetches, where there is one. */
interface Model {
  readonly versions: Map<number, ModelVersion>;
  inUse: InUse;
  /** The highest number that any version has ever had. */
  last: number;
}

/** What is written of a version besides its model. */
export type VersionFacts = Omit<VersionFile, "format">;

export class ModelStore {
  readonly folder: string;
  readonly place: DataFolder;
  readonly #models = new Map<string, Model>();
  /** One change of a model at a time: a new version, another one in use, a deletion. */
  readonly #locks = new KeyedLock();
  /** By model, the version that is being brought into use. */
  readonly #next = new Map<string, number>();

  /** `folder`: `models` in the data folder; made when the first version is added. */
  constructor(folder: string) {
    this.folder = folder;
    this.place = new DataFolder(folder);
  }

  /**
   * Reads what the folder holds. A version that cannot be read is told to `onWarning` and left alone. `tidy`, for whoever has the data
   * folder to itself: removes what a server that was killed has left half done.
   */
  async load(onWarning: (sentence: string) => void, { tidy = false } = {}): Promise<void> {
    if (!existsSync(this.folder)) return;
    for (const name of (await readdir(this.folder)).sort()) {
      const model = this.#model(name);
      if (tidy) await tidyUp(join(this.folder, name));
      for (const entry of await readdir(join(this.folder, name)).catch(() => [])) {
        const place = join(this.folder, name, entry);
        if (!/^\d{1,9}$/.test(entry)) continue;
        model.last = Math.max(model.last, Number(entry));
        try {
          const file = join(place, VERSION);
          const json: unknown = JSON.parse(await readFile(file, "utf8"));
          requireFormat(json, file, VERSION_FORMAT);
          const spec = await readSpec(place);
          model.versions.set(Number(entry), versionOf(name, Number(entry), VersionFile.parse(json), spec));
        } catch (error) {
          onWarning(`${place}: ${sentenceOf(error)}`);
        }
      }
      model.inUse = (await readJson(join(this.folder, name, IN_USE), InUse, onWarning)) ?? NONE;
      const numbers = await readJson(join(this.folder, name, NUMBERS), Numbers, onWarning);
      model.last = Math.max(model.last, numbers?.last ?? 0);
    }
  }

  names(): string[] {
    return [...this.#models.keys()];
  }

  /** Newest first. */
  versions(name: string): ModelVersion[] {
    return [...(this.#models.get(name)?.versions.values() ?? [])].sort((a, b) => b.version - a.version);
  }

  inUse(name: string): InUse {
    return this.#models.get(name)?.inUse ?? NONE;
  }

  /** VERSION_UNKNOWN when there is none. */
  version(name: string, version: number): ModelVersion {
    const found = this.#models.get(name)?.versions.get(version);
    if (found) return found;
    const known = this.versions(name).map((other) => other.version);
    throw new MultiboxError(
      "VERSION_UNKNOWN",
      `There is no version ${version} of the model "${name}".`,
      known.length > 0 ? `There are: ${known.join(", ")}.` : "It has no versions that were trained here.",
    );
  }

  /** The folder that `name` or `name@3` means here; undefined for what was not trained here, and for version 0. VERSION_UNKNOWN. */
  resolve(model: string): string | undefined {
    const [, named = model, number] = /^([^@]+)@(\d+)$/.exec(model) ?? [];
    const version = number === undefined ? this.inUse(named).version : Number(number);
    return version === 0 ? undefined : this.folderOf(named, this.version(named, version).version);
  }

  folderOf(name: string, version: number): string {
    return join(this.folder, name, String(version));
  }

  /**
   * Keeps a model as the next version of a name, and writes both into its spec. No number comes twice, because messages, metrics and captures
   * say by it what made them: neither that of a deleted version, nor what the model calls itself that multibox fetches by that name. Where
   * the bundle calls itself by that name, its own number is the least. Fails with FOLDER_UNAVAILABLE, DISK_FULL or NOT_WRITABLE.
   */
  add(name: string, bundle: Bundle, facts: VersionFacts): Promise<ModelVersion> {
    return this.#changing(name, async () => {
      const model = this.#model(name);
      const version = Math.max(model.last + 1, leastNumber(name, bundle.spec));
      const folder = this.folderOf(name, version);
      const spec = { ...bundle.spec, name, version: String(version) };
      await mkdir(join(this.folder, name), { recursive: true });
      await writeBundle(folder, spec, bundle.weights, bundle.provenance, bundle.quantization);
      model.last = version;
      // A version without this file is none: it comes last.
      const file: VersionFile = { format: VERSION_FORMAT, ...facts };
      await writeWhole(join(folder, VERSION), [`${JSON.stringify(file, undefined, 1)}\n`]);
      const added = versionOf(name, version, file, spec);
      model.versions.set(version, added);
      return added;
    });
  }

  /** From now on `name` means this version, 0 for the fetched one; a rollback restores the one before. VERSION_UNKNOWN. */
  use(name: string, version: number): Promise<InUse> {
    return this.changeInUse(name, version, async (write) => {
      const { version: before, previous } = this.inUse(name);
      return await write({ version, previous: before === version ? previous : before });
    });
  }

  /**
   * Runs `change`, which brings the version into use. Until it ends, nothing else of the model changes and the version cannot be deleted.
   * `write` stores what the name means from then on, also for this server. Fails with VERSION_UNKNOWN, or as `change` does.
   */
  async changeInUse<T>(
    name: string,
    version: number,
    change: (write: (inUse: InUse) => Promise<InUse>) => Promise<T>,
  ): Promise<T> {
    const requireVersion = (): void => void (version !== 0 && this.version(name, version));
    requireVersion();
    return this.#changing(name, async () => {
      requireVersion();
      this.#next.set(name, version);
      try {
        return await change((inUse) => this.#write(name, inUse));
      } finally {
        this.#next.delete(name);
      }
    });
  }

  /**
   * Fails with VERSION_UNKNOWN, or with VERSION_IN_USE for a version that is in use or being brought into use, or that a rollback needs.
   * `check` fails for one that is in use elsewhere.
   */
  async remove(name: string, version: number, check: () => void = () => undefined): Promise<void> {
    this.version(name, version);
    // Opening a version takes long, and the answer is known.
    if (this.#next.get(name) === version) throw inUseError(name, version, "is being brought into use");
    await this.#changing(name, async () => {
      const removed = this.version(name, version);
      const inUse = this.inUse(name);
      if (inUse.version === version) throw inUseError(name, version, "is in use");
      if (inUse.previous === version) throw inUseError(name, version, "is what a rollback goes back to");
      check();
      const { last, versions } = this.#model(name);
      // No stream opens it from here on.
      versions.delete(version);
      const folder = this.folderOf(name, version);
      const draft = `${folder}.${process.pid}.tmp`;
      try {
        if (version === last) await writeWhole(join(this.folder, name, NUMBERS), [`${JSON.stringify({ last })}\n`]);
        // Whole or gone, also where the server is killed: the next start removes what has such a name.
        await rename(folder, draft);
      } catch (cause) {
        versions.set(version, removed);
        throw writeFailure(cause, folder);
      }
      await rm(draft, { recursive: true, force: true }).catch(() => undefined);
    });
  }

  /** One change of a model at a time, while the folder is as it was. */
  #changing<T>(name: string, action: () => Promise<T>): Promise<T> {
    return this.#locks.run(name, () => this.place.write(action));
  }

  async #write(name: string, inUse: InUse): Promise<InUse> {
    await mkdir(join(this.folder, name), { recursive: true });
    await writeWhole(join(this.folder, name, IN_USE), [`${JSON.stringify(inUse)}\n`]);
    this.#model(name).inUse = inUse;
    return inUse;
  }

  #model(name: string): Model {
    const known = this.#models.get(name);
    if (known) return known;
    const model: Model = { versions: new Map(), inUse: NONE, last: 0 };
    this.#models.set(name, model);
    return model;
  }
}

/** What `replaceFolder` and `writeWhole` have not finished, by their names of temporary files: 3.812.tmp, in-use.json.812.tmp. */
const HALF = /^(\d{1,9}|in-use\.json|numbers\.json)\.\d+\.tmp(\.old)?$/;

/** Removes them, or puts back what is the only copy of what was to be replaced. */
async function tidyUp(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names.filter((one) => HALF.test(one))) {
    const whole = join(folder, name.replace(/\.\d+\.tmp(\.old)?$/, ""));
    if (name.endsWith(".old") && !existsSync(whole)) await rename(join(folder, name), whole);
    else await rm(join(folder, name), { recursive: true, force: true });
  }
}

const NONE: InUse = { version: 0 };

/** VERSION_IN_USE. `why` completes "Version 3 of "yard" ". */
export function inUseError(name: string, version: number, why: string): MultiboxError {
  const hint =
    "Delete it when it is not in use: after another version is activated, twice for the one that a rollback restores.";
  return new MultiboxError("VERSION_IN_USE", `Version ${version} of "${name}" ${why}.`, hint);
}

/** Undefined where it is not there, or cannot be read; `onWarning` gets why. */
async function readJson<T>(
  file: string,
  schema: z.ZodType<T>,
  onWarning: (sentence: string) => void,
): Promise<T | undefined> {
  if (!existsSync(file)) return undefined;
  try {
    const json: unknown = JSON.parse(await readFile(file, "utf8"));
    requireFormat(json, file);
    return schema.parse(withoutFormat(json));
  } catch (error) {
    onWarning(`${file} cannot be read: ${sentenceOf(error)}`);
    return undefined;
  }
}

function versionOf(
  name: string,
  version: number,
  { format: _format, ...facts }: VersionFile,
  { labels }: Bundle["spec"],
): ModelVersion {
  return { name, version, labels: labels.filter((label) => label !== null), ...facts };
}
