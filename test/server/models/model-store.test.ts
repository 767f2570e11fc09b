import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CurrentDetector } from "../../../src/model/current-detector.ts";
import { readBundle } from "../../../src/model/bundle.ts";
import type { Detector } from "../../../src/model/detector.ts";
import { Activator } from "../../../src/server/models/activation.ts";
import { ModelStore, type VersionFacts } from "../../../src/server/models/model-store.ts";
import { randomBundle } from "../../model/support/random-bundle.ts";
import { smallSpec } from "../../model/support/small-spec.ts";
import { RedFinder } from "../../support/red-finder.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "multibox-models-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function facts(changes: Partial<VersionFacts> = {}): VersionFacts {
  return {
    created: "2026-01-01T12:00:00.000Z",
    parent: "yard",
    metrics: { AP: 0.5 },
    offered: true,
    data: { hash: "abc", pictures: 10 },
    settings: { epochs: 3 },
    ...changes,
  };
}

async function loaded(): Promise<{ store: ModelStore; warnings: string[] }> {
  const store = new ModelStore(folder);
  const warnings: string[] = [];
  await store.load((sentence) => warnings.push(sentence), { tidy: true });
  return { store, warnings };
}

describe("ModelStore", () => {
  it("numbers versions from 1, writes their name into the model, and has them after a restart", async () => {
    const { store } = await loaded();
    await store.add("yard", randomBundle(smallSpec()), facts());
    const second = await store.add("yard", randomBundle(smallSpec(), 2), facts({ parent: "yard@1" }));
    expect(second).toMatchObject({ name: "yard", version: 2, labels: ["cat", "dog", "cow", "car", "bus"] });
    expect((await readBundle(store.folderOf("yard", 2))).spec).toMatchObject({ name: "yard", version: "2" });
    const { store: again } = await loaded();
    expect(again.versions("yard")).toEqual(store.versions("yard"));
  });

  it("gives no number twice, not even a deleted version's", async () => {
    const { store } = await loaded();
    const bundle = randomBundle(smallSpec());
    for (const expected of [1, 2])
      expect(await store.add("yard", bundle, facts())).toMatchObject({ version: expected });
    await store.remove("yard", 2);
    expect(await store.add("yard", bundle, facts())).toMatchObject({ version: 3 });
    await store.remove("yard", 3);
    const { store: again } = await loaded();
    expect(await again.add("yard", bundle, facts())).toMatchObject({ version: 4 });
  });

  it("knows what a name means, over a restart, and what a rollback goes back to", async () => {
    const { store } = await loaded();
    await store.add("yard", randomBundle(smallSpec()), facts());
    expect(store.resolve("yard")).toBeUndefined();
    expect(await store.use("yard", 1)).toEqual({ version: 1, previous: 0 });
    expect(store.resolve("yard")).toBe(store.folderOf("yard", 1));
    expect(store.resolve("yard@0")).toBeUndefined();
    const { store: again } = await loaded();
    expect(again.inUse("yard")).toEqual({ version: 1, previous: 0 });
    expect(() => again.resolve("yard@7")).toThrow(expect.objectContaining({ code: "VERSION_UNKNOWN" }));
  });

  it("deletes neither the version in use nor the one before", async () => {
    const { store } = await loaded();
    for (const seed of [1, 2, 3]) await store.add("yard", randomBundle(smallSpec(), seed), facts());
    await store.use("yard", 1);
    await store.use("yard", 2);
    await expect(store.remove("yard", 1)).rejects.toMatchObject({ code: "VERSION_IN_USE" });
    await expect(store.remove("yard", 2)).rejects.toMatchObject({ code: "VERSION_IN_USE" });
    await store.remove("yard", 3);
    expect(store.versions("yard").map(({ version }) => version)).toEqual([2, 1]);
  });

  it("leaves out what a killed server has left half done, and says what is damaged", async () => {
    const { store } = await loaded();
    await store.add("yard", randomBundle(smallSpec()), facts());
    await mkdir(join(folder, "yard", "2"));
    await mkdir(join(folder, "yard", "3.77.tmp"));
    await writeFile(join(folder, "yard", "2", "version.json"), "{");
    const { store: again, warnings } = await loaded();
    expect(again.versions("yard").map(({ version }) => version)).toEqual([1]);
    expect(warnings).toHaveLength(1);
    await expect(readFile(join(folder, "yard", "3.77.tmp"))).rejects.toMatchObject({ code: "ENOENT" });
  });
});

describe("Activator", () => {
  /** A pipeline whose default model runs, and which notes what takes its place. */
  async function started() {
    const { store } = await loaded();
    await store.add("yard", randomBundle(smallSpec()), facts());
    await store.add("yard", randomBundle(smallSpec(), 2), facts({ offered: false }));
    const first = new RedFinder("first");
    const current = new CurrentDetector(first);
    const opened: string[] = [];
    const swapped: Detector[] = [];
    const deps = {
      store,
      current,
      defaultModel: "yard",
      open: (model: string) => {
        opened.push(model);
        return Promise.resolve(new RedFinder(model));
      },
      pipeline: {
        detector: (model?: string) => Promise.resolve(model === undefined ? current : undefined),
        swap: (_: string | undefined, detector: Detector) => Promise.resolve(void swapped.push(detector)),
      },
    };
    return { store, first, current, opened, swapped, activator: new Activator(deps, first), deps };
  }

  it("opens the version beside the old one, changes over, and closes the old one", async () => {
    const { activator, first, current, swapped, opened } = await started();
    expect(await activator.activate("yard", 1, false)).toEqual({ version: 1, previous: 0 });
    expect(opened).toEqual(["yard@1"]);
    expect(swapped.map(({ info }) => info.model.name)).toEqual(["yard@1"]);
    expect(current.info.model.name).toBe("yard@1");
    expect(first.closed).toBe(true);
    expect(await activator.rollback("yard")).toEqual({ version: 0, previous: 1 });
    expect(swapped.at(-1)!.info.model.name).toBe("yard@0");
  });

  it("takes a version that is worse than its parent only by force", async () => {
    const { activator, swapped } = await started();
    await expect(activator.activate("yard", 2, false)).rejects.toMatchObject({ code: "VERSION_NOT_OFFERED" });
    expect(swapped).toEqual([]);
    expect(await activator.activate("yard", 2, true)).toEqual({ version: 2, previous: 0 });
  });

  it("leaves all as it was where the version does not open", async () => {
    const { deps, first, swapped, store } = await started();
    const activator = new Activator({ ...deps, open: () => Promise.reject(new Error("damaged")) }, first);
    await expect(activator.activate("yard", 1, false)).rejects.toThrow("damaged");
    expect(swapped).toEqual([]);
    expect(first.closed).toBe(false);
    expect(store.inUse("yard")).toEqual({ version: 0 });
  });

  it("brings one version into use at a time, and the same one only once", async () => {
    const { activator, swapped } = await started();
    const both = [activator.activate("yard", 1, false), activator.activate("yard", 2, true)];
    await expect(both[1]).rejects.toMatchObject({ code: "MODEL_BUSY" });
    await both[0];
    await activator.activate("yard", 1, false);
    expect(swapped).toHaveLength(1);
  });

  it("has nothing to go back to at first", async () => {
    const { activator } = await started();
    await expect(activator.rollback("yard")).rejects.toMatchObject({ code: "NO_PREVIOUS" });
  });
});
