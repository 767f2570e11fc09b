// The package as npm packs it: what is in it, and that it detects where it is installed in an empty folder with an empty npm cache.
import { execFile } from "node:child_process";
import { lstat, mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { demoClip } from "../../src/demo-clip.ts";
import { ffmpeg } from "../support/ffmpeg.ts";
import { testCacheDir } from "../support/model.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));

interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

let folder: string;
let packed: Packed;
let tarball: string;

/** A user's machine: a home of their own, nothing in npm's cache, and none of the settings of this checkout or of multibox. */
const env = (): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(MULTIBOX_|npm_|ONNXRUNTIME_)/i.test(name))),
  HOME: join(folder, "home"),
  XDG_CACHE_HOME: join(folder, "home/.cache"),
  npm_config_cache: join(folder, "npm"),
  npm_config_update_notifier: "false",
});

async function npm(args: readonly string[], cwd: string, more: NodeJS.ProcessEnv = {}): Promise<string> {
  // A child of npm that hangs must not outlive the test.
  const options = {
    cwd,
    env: { ...env(), ...more },
    maxBuffer: 1 << 26,
    timeout: 500_000,
    killSignal: "SIGKILL",
  } as const;
  return (await run("npm", [...args], options)).stdout;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "multibox-package-"));
  await mkdir(join(folder, "home"), { recursive: true });
  // What `prepack` builds is built already; to build it again would take it away from other tests.
  const answer = await npm(["pack", "--json", "--ignore-scripts", "--pack-destination", folder], root);
  const list = JSON.parse(answer) as readonly Packed[] | Record<string, Packed>;
  packed = Object.values(list)[0]!;
  tarball = join(folder, packed.filename);
});
afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));

describe("the package", () => {
  test("holds the program, its page, kernels, types of no test, and documents, and nothing else", () => {
    const paths = packed.files.map(({ path }) => path);
    const tops = new Set(paths.map((path) => (path.includes("/") ? `${dirname(path).split("/")[0]}/` : path)));
    expect([...tops].toSorted()).toEqual(
      [
        "CHANGELOG.md",
        "LICENSE",
        "NOTICE",
        "README.md",
        "dist/",
        "docs/",
        "multibox.example.yaml",
        "package.json",
      ].toSorted(),
    );
    for (const needed of [
      "dist/cli.js",
      "dist/model/detector-worker.js",
      "dist/model/kernels/sample.wasm",
      "dist/ui/index.html",
      "docs/websocket.schema.json",
    ])
      expect(paths).toContain(needed);
    expect(
      paths.filter((path) => /bench-build|\.test\.|\.tsx?$|\.(pt|pth|onnx|safetensors|jpe?g|mp4)$/.test(path)),
    ).toEqual([]);
  });
});

describe.runIf(await reachesRegistry())("installed in an empty folder, with an empty npm cache", () => {
  test("it detects without any install script, in at most 350 MB with all that it fetches", async () => {
    const app = await emptyFolder("blocked");
    await npm(["install", "--ignore-scripts", tarball], app);
    expect(await labelsIn(join(app, "node_modules/.bin/multibox"))).toContain("car");
    const installed = (await bytesIn(join(app, "node_modules"))) + (await bytesIn(join(folder, "home/.cache")));
    console.log(`${(installed / 1e6).toFixed(0)} MB installed and fetched`);
    expect(installed).toBeLessThan(350e6);
  });

  test("it detects where npm runs install scripts, installed for all users of the machine", async () => {
    const prefix = await emptyFolder("global");
    await npm(["install", "--global", "--prefix", prefix, "--foreground-scripts", tarball], folder, {
      npm_config_ignore_scripts: "false",
      npm_config_dangerously_allow_all_scripts: "true",
    });
    expect(await labelsIn(join(prefix, process.platform === "win32" ? "multibox.cmd" : "bin/multibox"))).toContain(
      "car",
    );
  });

  test("npx runs it without installing it", async () => {
    const app = await emptyFolder("npx");
    const { stdout } = await run("npx", ["--yes", "--package", tarball, "multibox", "--version"], {
      cwd: app,
      env: env(),
    });
    expect(stdout.trim()).toBe(JSON.parse(await npm(["pkg", "get", "version"], root)));
  });
});

/** What the program finds on an image of a car; with a home of its own, so that everything is fetched which the program needs. */
async function labelsIn(command: string): Promise<string[]> {
  const image = join(folder, "car.jpg");
  await ffmpeg("-ss 1.5 -i", await demoClip(testCacheDir()), "-frames:v 1 -q:v 2", image);
  const { stdout } = await run(command, ["detect", image, "--json"], { cwd: folder, env: env() });
  const { detections } = JSON.parse(stdout) as { detections: { label: string }[] };
  return detections.map(({ label }) => label);
}

async function emptyFolder(name: string): Promise<string> {
  const path = join(folder, name);
  await mkdir(path);
  return path;
}

async function bytesIn(path: string): Promise<number> {
  const names = await readdir(path, { recursive: true });
  const sizes = await Promise.all(names.map(async (name) => (await lstat(join(path, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function reachesRegistry(): Promise<boolean> {
  return await run("npm", ["ping"], { timeout: 20_000 }).then(
    () => true,
    () => false,
  );
}
