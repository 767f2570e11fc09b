// Where a user's machine keeps what was fetched or built once, and what must not be lost.
import { join } from "node:path";
import envPaths from "env-paths";

/** The user's cache folder for multibox. */
export function defaultCacheDir(): string {
  return envPaths("multibox", { suffix: "" }).cache;
}

/** The user's data folder for multibox: what cannot be fetched again. */
export function defaultDataDir(): string {
  return envPaths("multibox", { suffix: "" }).data;
}

/** The folder within a cache folder that `npm run tfjs:build` builds, and that the tfjs engines load. */
export function tfjsNodeFolder(cacheDir: string): string {
  return join(cacheDir, "tfjs-node");
}
