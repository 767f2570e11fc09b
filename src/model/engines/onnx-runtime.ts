// Where ONNX Runtime comes from: the package onnxruntime-node where it is installed, else the cache folder, fetched once.
import type * as OnnxRuntime from "onnxruntime-node";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { defaultCacheDir } from "../../cache-dir.ts";
import { MultiboxError, systemCode } from "../../errors.ts";
import { fetchNpmPackage, type NpmPackage } from "../../npm-package.ts";
import { writeError } from "../bundle.ts";

/*
 * onnxruntime-node is no dependency that npm installs: its install script downloads CUDA files from elsewhere and ends npm where it cannot, and it
 * has the binaries of every platform, 286 MB of which a machine needs 45. What is fetched here is the same package, without running
 * anything of it, and only what this platform needs.
 */
const VERSION = "1.30.0";

/** What is fetched, pinned to the same versions as in package-lock.json; the first is what is loaded, the second what it needs. */
export const ONNX_RUNTIME: readonly [NpmPackage, NpmPackage] = [
  {
    name: `onnxruntime-node@${VERSION}`,
    integrity: "sha512-twhs1C2C/BFkz1yc5OY0KIU2GUq6DURO7hD4bx5Q2Qy3nAMJwRXW8xU3NVczE29VA9lolLOYepoD8fjTGOfIqw==",
    bytes: 113_507_888,
  },
  {
    name: `onnxruntime-common@${VERSION}`,
    integrity: "sha512-7fdVWjAID1dVhH/G8qK3APARunV4VkBFoCQAP7qp4Wkab0mrorvmc+sqiT+mKXOzDqdjN5j+/Z9nb4gzNPWcyA==",
    bytes: 66_795,
  },
];

/** Those that the package has binaries for. */
const PLATFORMS = ["linux-x64", "linux-arm64", "darwin-arm64", "win32-x64", "win32-arm64"];

/** Where to fetch to. `onProgress` gets bytes fetched and bytes in all. */
export interface FetchRuntimeOptions {
  readonly cacheDir?: string | undefined;
  readonly onProgress?: (done: number, total: number) => void;
  /** Whether the package counts where it is installed; yes, but for tests. */
  readonly installed?: boolean;
}

/** Imports it. Fails with ENGINE_MISSING where it is neither installed nor fetched, or cannot be loaded. */
export async function importOnnxRuntime(cacheDir?: string): Promise<typeof OnnxRuntime> {
  const main = installedMain() ?? fetchedMain(cacheDir);
  const platform = `${process.platform}-${process.arch}`;
  if (main === undefined) {
    throw new MultiboxError(
      "ENGINE_MISSING",
      `ONNX Runtime is not in the cache folder ${cacheDir ?? defaultCacheDir()}, and the package onnxruntime-node is not installed.`,
      PLATFORMS.includes(platform)
        ? "Run `multibox models pull`, which fetches it."
        : `It does not exist for ${platform}; it needs 64-bit Linux, macOS or Windows. Use \`--engine tfjs:wasm\`.`,
    );
  }
  try {
    // It is a CommonJS module; `require` and `import` share it.
    return createRequire(import.meta.url)(main) as typeof OnnxRuntime;
  } catch (cause) {
    const hint = `Remove ${dirname(dirname(main))} and start again, or run \`npm ci\` in a checkout; it needs 64-bit Linux, macOS or Windows.`;
    throw new MultiboxError("ENGINE_MISSING", `ONNX Runtime cannot be loaded on ${platform}.`, hint, { cause });
  }
}

/**
 * Fetches ONNX Runtime for this platform into the cache folder, unless it is there or installed. Does nothing where it does not exist for
 * the platform. Fails with FETCH_FAILED, CHECKSUM_MISMATCH, DISK_FULL or NOT_WRITABLE.
 */
export async function fetchOnnxRuntime(options: FetchRuntimeOptions = {}): Promise<void> {
  const { cacheDir = defaultCacheDir(), onProgress, installed = true } = options;
  if (installed && installedMain() !== undefined) return;
  if (fetchedMain(cacheDir) !== undefined || !PLATFORMS.includes(`${process.platform}-${process.arch}`)) return;
  const binaries = `bin/napi-v6/${process.platform}/${process.arch}/`;
  const total = ONNX_RUNTIME.reduce((sum, { bytes }) => sum + bytes, 0);
  let folder: string | undefined;
  try {
    await mkdir(cacheDir, { recursive: true });
    folder = await mkdtemp(join(cacheDir, "fetch-"));
    let before = 0;
    for (const source of ONNX_RUNTIME) {
      const to = join(folder, "node_modules", nameOf(source));
      await mkdir(to, { recursive: true });
      await fetchNpmPackage(
        source,
        to,
        (done) => onProgress?.(before + done, total),
        (path) => !path.startsWith("bin/") || path.startsWith(binaries),
      );
      before += source.bytes;
    }
    await rename(folder, fetchedFolder(cacheDir));
  } catch (error) {
    // Another process fetched the same, and was first.
    if (fetchedMain(cacheDir) !== undefined) return;
    throw writeError(error, cacheDir);
  } finally {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** The folder of the native libraries of the package that is loaded; undefined where there is no package. */
export function nativeFolder(cacheDir?: string): string | undefined {
  const main = installedMain() ?? fetchedMain(cacheDir);
  return main && join(dirname(main), "../bin/napi-v6", process.platform, process.arch);
}

function installedMain(): string | undefined {
  try {
    return createRequire(import.meta.url).resolve("onnxruntime-node");
  } catch (error) {
    if (systemCode(error) === "MODULE_NOT_FOUND") return undefined;
    throw error;
  }
}

function fetchedMain(cacheDir: string = defaultCacheDir()): string | undefined {
  const main = join(fetchedFolder(cacheDir), "node_modules/onnxruntime-node/dist/index.js");
  return existsSync(main) ? main : undefined;
}

const fetchedFolder = (cacheDir: string): string =>
  join(cacheDir, `onnxruntime-${VERSION}-${process.platform}-${process.arch}`);

const nameOf = ({ name }: NpmPackage): string => name.slice(0, name.lastIndexOf("@"));
