// `npm run tfjs:build`: TensorFlow.js on the TensorFlow of a pip package, in the cache folder, where the tfjs engines find it.
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { defaultCacheDir, tfjsNodeFolder } from "../src/cache-dir.ts";
import { MultiboxError, sentenceOf, systemCode } from "../src/errors.ts";
import { checkTools, type Logged, PYTHON, runLogged } from "./build-tools.ts";

const TFJS = "@tensorflow/tfjs-node-gpu";
const VERSION = "4.22.0";
const USAGE = `Usage: npm run tfjs:build -- [options]

Builds the binding of ${TFJS} ${VERSION} against the TensorFlow of a pip package.

  --tensorflow PACKAGE  as pip names it (default tensorflow-cpu); for NVIDIA GPUs 'tensorflow[and-cuda]'
  --cache-dir DIR       where models are kept (default MULTIBOX_CACHE_DIR, or the user's cache folder)
  --force               build again what is built`;

interface Options {
  readonly tensorflow: string;
  readonly cacheDir: string;
  readonly force: boolean;
}

/** What was asked for, kept beside what was built. */
interface Recipe {
  readonly tfjs: string;
  readonly tensorflow: string;
}

async function build({ tensorflow, cacheDir, force }: Options): Promise<void> {
  const folder = tfjsNodeFolder(cacheDir);
  const recipe: Recipe = { tfjs: `${TFJS}@${VERSION}`, tensorflow };
  if (!force && (await isOf(folder, recipe))) {
    console.log(`${recipe.tfjs} on ${tensorflow} is built already, in ${folder}.`);
    return;
  }
  await checkTools();
  const partial = `${folder}.partial`;
  // What an earlier attempt at the same finished is kept.
  if (force || !(await isOf(partial, recipe))) await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true });
  await writeFile(join(partial, "recipe.json"), JSON.stringify(recipe));
  const logged: Logged = { cwd: partial, log: `${folder}.log` };
  await rm(logged.log, { force: true });
  await fetchTfjs(partial, logged);
  await fetchTensorFlow(partial, tensorflow, logged);
  await link(partial, logged);
  console.log("Trying it ...");
  console.log(`It works: ${await tryOut(logged)}.`);
  const old = `${folder}.old`;
  await rm(old, { recursive: true, force: true });
  if (existsSync(folder)) await rename(folder, old);
  await rename(partial, folder);
  await rm(old, { recursive: true, force: true });
  await rm(logged.log, { force: true });
  console.log(`The engines tfjs:cpu and tfjs:gpu will find it in ${folder}.`);
}

async function isOf(folder: string, recipe: Recipe): Promise<boolean> {
  const text = await readFile(join(folder, "recipe.json"), "utf8").catch(() => "");
  return text === JSON.stringify(recipe);
}

/** The package and what it needs, without their install scripts: they would download another TensorFlow. */
async function fetchTfjs(partial: string, logged: Logged): Promise<void> {
  // npm writes it last.
  if (existsSync(join(partial, "node_modules/.package-lock.json"))) return;
  console.log(`Fetching ${TFJS} ${VERSION} ...`);
  await writeFile(join(partial, "package.json"), JSON.stringify({ private: true, dependencies: { [TFJS]: VERSION } }));
  const npm = process.env["npm_execpath"];
  const args = ["install", "--prefix", partial, "--ignore-scripts", "--no-audit", "--no-fund"];
  await runLogged(npm ? process.execPath : "npm", npm ? [npm, ...args] : args, logged);
}

async function fetchTensorFlow(partial: string, tensorflow: string, logged: Logged): Promise<void> {
  const [wheel, temporary] = [join(partial, "wheel"), join(partial, "wheel.partial")];
  if (existsSync(wheel)) return;
  console.log(`Fetching ${tensorflow} with pip; it has 250 MB and more ...`);
  await rm(temporary, { recursive: true, force: true });
  // Of what the Python package needs, only the CUDA libraries matter to the library within it.
  const needs = tensorflow.includes("[") ? [] : ["--no-deps"];
  const args = ["-m", "pip", "install", "--no-compile", ...needs, "--target", temporary, tensorflow];
  await runLogged(PYTHON, args, logged);
  await rename(temporary, wheel);
}

/** Compiles the binding. All links are relative, since the folder is renamed when it is done. */
async function link(partial: string, logged: Logged): Promise<void> {
  console.log("Compiling the binding ...");
  const [addon, wheel] = [join(partial, "node_modules", TFJS), join(partial, "wheel/tensorflow")];
  if (!existsSync(join(wheel, "libtensorflow_cc.so.2"))) {
    throw new MultiboxError(
      "BUILD_FAILED",
      `The pip package has no libtensorflow_cc.so.2 in ${wheel}.`,
      "Name a package of TensorFlow for this platform, such as tensorflow-cpu, with --tensorflow.",
    );
  }
  await rm(join(addon, "deps"), { recursive: true, force: true });
  await mkdir(join(addon, "deps/lib"), { recursive: true });
  const links = {
    "deps/include": "include",
    "deps/lib/libtensorflow.so": "libtensorflow_cc.so.2",
    "deps/lib/libtensorflow_framework.so": "libtensorflow_framework.so.2",
  };
  for (const [name, target] of Object.entries(links)) {
    await symlink(relative(dirname(join(addon, name)), join(wheel, target)), join(addon, name));
  }
  const gyp = fileURLToPath(import.meta.resolve("node-gyp/bin/node-gyp.js"));
  // Node.js comes with its headers; node-gyp downloads them where they are missing.
  const prefix = dirname(dirname(process.execPath));
  const headers = existsSync(join(prefix, "include/node/node_api.h")) ? [`--nodedir=${prefix}`] : [];
  const defines = ["-Dnapi_build_version=8", "-Dmodule_name=tfjs_binding", "-Dmodule_path=./lib/napi-v8"];
  // Where the library itself lies, not a link to it: it finds its CUDA libraries from there.
  const rpath = `-Wl,-rpath,\\$$ORIGIN/${relative(join(addon, "lib/napi-v8"), wheel)}`;
  const env = { ...process.env, LDFLAGS: `${process.env["LDFLAGS"] ?? ""} ${rpath}` };
  await runLogged(process.execPath, [gyp, "rebuild", ...headers, "--", ...defines], { ...logged, cwd: addon, env });
}

/** `TensorFlow 2.21.0, no GPU` */
async function tryOut(logged: Logged): Promise<string> {
  const script = `
    require("util").isNullOrUndefined ??= (value) => value == null;
    const tf = require(${JSON.stringify(TFJS)});
    if (tf.tensor1d([1, 2]).add(1).dataSync()[1] !== 3) throw new Error("TensorFlow cannot add.");
    const { binding, isUsingGpuDevice } = tf.backend();
    console.log("TensorFlow " + binding.TF_Version + (isUsingGpuDevice ? ", with a GPU" : ", no GPU"));`;
  const output = await runLogged(process.execPath, ["-e", script], logged);
  return output.trim().split("\n").at(-1)!;
}

function readOptions(): Options | undefined {
  try {
    const options = {
      tensorflow: { type: "string", default: "tensorflow-cpu" },
      "cache-dir": { type: "string", default: process.env["MULTIBOX_CACHE_DIR"] || defaultCacheDir() },
      force: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    } as const;
    const { tensorflow, "cache-dir": cacheDir, force, help } = parseArgs({ options }).values;
    if (!help) return { tensorflow, cacheDir, force };
    console.log(USAGE);
  } catch (error) {
    console.error(`${sentenceOf(error)}\n\n${USAGE}`);
    process.exitCode = 2;
  }
}

try {
  const options = readOptions();
  if (options) await build(options);
} catch (error) {
  // A cache folder that cannot be written to, or a full disk, explains itself.
  if (!(error instanceof MultiboxError) && systemCode(error) === undefined) throw error;
  console.error(sentenceOf(error));
  process.exitCode = 1;
}
