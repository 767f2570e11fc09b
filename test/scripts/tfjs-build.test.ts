// `npm run tfjs:build` says what it cannot do in one sentence, and does nothing twice.
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
let cacheDir: string;
beforeAll(async () => (cacheDir = await mkdtemp(join(tmpdir(), "multibox-tfjs-build-"))));
afterAll(() => rm(cacheDir, { recursive: true, force: true }));

test.runIf(process.platform === "linux")("a cache folder that cannot be is named, without a stack trace", async () => {
  await writeFile(join(cacheDir, "file"), "");
  const { code, stderr } = await run(["--cache-dir", join(cacheDir, "file")], { PYTHON: "true", CXX: "true" });
  expect(code).toBe(1);
  expect(stderr).toContain(join(cacheDir, "file"));
  expect(stderr).not.toMatch(/^\s+at /m);
  await rm(join(cacheDir, "file"));
});

function run(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const command = ["--import", "tsx", "scripts/tfjs-build.ts", "--cache-dir", cacheDir, ...args];
  return new Promise((resolve) => {
    const options = { cwd: ROOT, env: { ...process.env, ...env } };
    execFile(process.execPath, command, options, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

test("--help says what there is", async () => {
  const { code, stdout } = await run(["--help"]);
  expect(code).toBe(0);
  expect(stdout).toContain("--tensorflow PACKAGE");
});

test("an option that it does not know is a mistake in the call", async () => {
  const { code, stdout, stderr } = await run(["--gpu"]);
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toContain("'--gpu'");
  expect(stderr).toContain("Usage: npm run tfjs:build");
});

test.runIf(process.platform === "linux").each([
  ["Python", { PYTHON: "no-such-python" }, "no-such-python -m pip --version", "apt-get install python3"],
  // `true` stands for a Python that has pip.
  ["a compiler", { PYTHON: "true", CXX: "no-such-compiler" }, "no-such-compiler --version", "apt-get install g++"],
])("without %s it says what to install, and leaves nothing", async (_, env, command, hint) => {
  const { code, stdout, stderr } = await run([], env);
  expect([code, stdout]).toEqual([1, ""]);
  expect(stderr).toMatch(/^TOOL_MISSING: .+\n$/);
  expect(stderr).toContain(command);
  expect(stderr).toContain(hint);
  expect(await readdir(cacheDir)).toEqual([]);
});

test("what is built already is not built again", async () => {
  const folder = join(cacheDir, "tfjs-node");
  await mkdir(folder);
  const recipe = { tfjs: "@tensorflow/tfjs-node-gpu@4.22.0", tensorflow: "tensorflow-cpu" };
  await writeFile(join(folder, "recipe.json"), JSON.stringify(recipe));
  const { code, stdout } = await run([]);
  expect(code).toBe(0);
  expect(stdout).toBe(`@tensorflow/tfjs-node-gpu@4.22.0 on tensorflow-cpu is built already, in ${folder}.\n`);
});
