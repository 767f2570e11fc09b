// A package that is not installed is named, with what to do.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadTensorFlow } from "../../../src/model/engines/tfjs-load.ts";

let cacheDir: string;
beforeAll(async () => (cacheDir = await mkdtemp(join(tmpdir(), "multibox-tfjs-"))));
afterAll(() => rm(cacheDir, { recursive: true, force: true }));

/** A folder as `npm run tfjs:build` leaves it, with this in the place of TensorFlow.js. */
async function fakeBuild(code: string): Promise<void> {
  const folder = join(cacheDir, "tfjs-node/node_modules/@tensorflow/tfjs-node-gpu");
  await mkdir(folder, { recursive: true });
  await writeFile(join(cacheDir, "tfjs-node/package.json"), "{}");
  await writeFile(join(folder, "index.js"), code);
}

test("TensorFlow that was built, and whose package is gone, is ENGINE_MISSING", async () => {
  await mkdir(join(cacheDir, "tfjs-node"), { recursive: true });
  await writeFile(join(cacheDir, "tfjs-node/package.json"), "{}");
  expect(() => loadTensorFlow(cacheDir)).toThrow(
    expect.objectContaining({
      code: "ENGINE_MISSING",
      message: "@tensorflow/tfjs-node-gpu is not installed.",
      hint: expect.stringMatching(/npm run tfjs:build.+npm install @tensorflow\/tfjs-node-gpu/) as string,
    }),
  );
});

test("one whose library cannot be loaded is ENGINE_MISSING too, with the first line of why", async () => {
  await fakeBuild('throw new Error("libtensorflow_cc.so.2: cannot open shared object file.\\nRequire stack:\\n- x");');
  const message = "@tensorflow/tfjs-node-gpu cannot be loaded: libtensorflow_cc.so.2: cannot open shared object file.";
  expect(() => loadTensorFlow(cacheDir)).toThrow(expect.objectContaining({ code: "ENGINE_MISSING", message }));
});
