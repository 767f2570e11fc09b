// The default model, and where the tests' data lie.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { defaultCacheDir } from "../../src/config.ts";
import type { Bundle } from "../../src/model/bundle.ts";
import { modelFolder, openModel } from "../../src/model/zoo.ts";

export const DEFAULT_MODEL = "ssdlite-mobilenet-v2";

/** The cache that the product would use, so that models are fetched once. */
export function testCacheDir(): string {
  return process.env["MULTIBOX_CACHE_DIR"] ?? defaultCacheDir();
}

export function defaultModelFolder(): string {
  return modelFolder(DEFAULT_MODEL, testCacheDir());
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
