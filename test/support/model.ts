// The default model, and where the tests' data lie.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { defaultCacheDir } from "../../src/cache-dir.ts";
import type { Bundle } from "../../src/model/bundle.ts";
import { SSDLITE_MOBILENET_V2 } from "../../src/model/specs.ts";
import { modelFolder, openModel } from "../../src/model/zoo.ts";

export const DEFAULT_MODEL = SSDLITE_MOBILENET_V2.name;

/** The cache that the product would use, so that models are fetched once. */
export function testCacheDir(): string {
  return process.env["MULTIBOX_CACHE_DIR"] ?? defaultCacheDir();
}

export function defaultModelFolder(): string {
  return modelFolder(SSDLITE_MOBILENET_V2, testCacheDir());
}

export async function defaultBundle(): Promise<Bundle> {
  return (await openModel(DEFAULT_MODEL, { cacheDir: testCacheDir() })).bundle;
}

/** The path of a file of the test data, from `MULTIBOX_DATA` or the folder beside the repository; undefined where it is absent. */
export function testData(path: string): string | undefined {
  const root = process.env["MULTIBOX_DATA"] ?? join(import.meta.dirname, "../../../shared/data");
  const file = join(root, path);
  return existsSync(file) ? file : undefined;
}
