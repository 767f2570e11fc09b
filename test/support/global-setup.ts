// Before any test: the default model is fetched, as `npm start` does, unless it is in the cache.
import { openModel } from "../../src/model/zoo.ts";
import { testCacheDir } from "./model.ts";

/** Called by vitest once a run. */
export async function setup(): Promise<void> {
  await openModel("ssdlite-mobilenet-v2", { cacheDir: testCacheDir() });
}
