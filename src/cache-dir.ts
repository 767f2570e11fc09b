// Where a user's machine keeps what was fetched or built once.
import { join } from "node:path";
import envPaths from "env-paths";

/** The user's cache folder for multibox. */
export function defaultCacheDir(): string {
  return envPaths("multibox", { suffix: "" }).cache;
}

/** The folder within a cache folder that `npm run tfjs:build` builds, and that the tfjs engines load. */
export function tfjsNodeFolder(cacheDir: string): string {
  return join(cacheDir, "tfjs-node");
}
