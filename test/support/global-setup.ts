// Before any test: the kernels are compiled where they have changed, and the default model is fetched, as `npm start` does both.
import { execFileSync } from "node:child_process";
import { statSync } from "node:fs";
import { openModel } from "../../src/model/zoo.ts";
import { testCacheDir } from "./model.ts";

/** Called by vitest once a run. */
export async function setup(): Promise<void> {
  const sources = ["src/model/kernels/sample.ts", "src/model/sample/layout.ts"];
  if (changed("dist/model/kernels/sample.wasm") <= Math.max(...sources.map(changed))) {
    execFileSync("npm", ["run", "--silent", "build:kernels"], { cwd: ROOT, stdio: "inherit" });
  }
  await openModel("ssdlite-mobilenet-v2", { cacheDir: testCacheDir() });
}

const ROOT = new URL("../../", import.meta.url);

/** When a file of this package was written; 0 where there is none. */
function changed(file: string): number {
  return statSync(new URL(file, ROOT), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
