// Packages are fetched from a real registry on this machine: whole, changed on the way, cut off, missing, or not at all.
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { fetchNpmPackage } from "../src/npm-package.ts";
import { closedRegistry, startRegistry, type TinyRegistry } from "./model/support/tiny-registry.ts";

const failsWith = (code: string, message: unknown): unknown =>
  expect.objectContaining({ name: "MultiboxError", code, message });

let registry: TinyRegistry;
let root: string;
let folder: string;
beforeEach(async () => {
  registry = await startRegistry();
  root = await mkdtemp(join(tmpdir(), "multibox-npm-"));
  folder = await mkdtemp(join(root, "package-"));
  vi.stubEnv("npm_config_registry", registry.url);
  vi.stubEnv("npm_config_cache", join(root, "npm"));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await registry.close();
  // npm's cache may still be written when a fetch has failed.
  await rm(root, { recursive: true, force: true, maxRetries: 10 });
});

describe("a package", () => {
  test("is unpacked, nothing of it is run, and the progress ends at its size", async () => {
    const progress: [number, number][] = [];
    await fetchNpmPackage(registry.npmPackage, folder, (done, total) => progress.push([done, total]));
    expect((await readdir(folder)).toSorted()).toEqual(["hello.txt", "noise.bin", "package.json"]);
    expect(await readFile(join(folder, "hello.txt"), "utf8")).toBe("hello");
    const { bytes } = registry.npmPackage;
    expect(progress.at(-1)).toEqual([bytes, bytes]);
  });

  test("of which one bit was changed on the way is CHECKSUM_MISMATCH", async () => {
    registry.delivery = "changed";
    await expect(fetchNpmPackage(registry.npmPackage, folder)).rejects.toThrow(
      failsWith("CHECKSUM_MISMATCH", "The npm package tiny@1.0.0 that was fetched is not the one that is pinned."),
    );
    expect(await readdir(folder)).not.toContain("hello.txt");
  });

  test("that the registry replaced under its name is CHECKSUM_MISMATCH", async () => {
    const other = await startRegistry(2000);
    try {
      const pinned = { ...other.npmPackage };
      await expect(fetchNpmPackage(pinned, folder)).rejects.toThrow(failsWith("CHECKSUM_MISMATCH", expect.any(String)));
    } finally {
      await other.close();
    }
  });

  test("that is cut off, or that the registry does not have, is FETCH_FAILED", async () => {
    for (const delivery of ["cut", "missing"] as const) {
      registry.delivery = delivery;
      await expect(fetchNpmPackage(registry.npmPackage, folder)).rejects.toThrow(
        failsWith("FETCH_FAILED", expect.stringContaining("tiny@1.0.0 could not be fetched: ")),
      );
    }
  });

  test("without a network is FETCH_FAILED, which names the registry but not its password", async () => {
    const closed = (await closedRegistry()).replace("//", "//someone:secret@");
    vi.stubEnv("npm_config_registry", closed);
    const failure = await fetchNpmPackage(registry.npmPackage, folder).catch((error: unknown) => error);
    expect(failure).toEqual(failsWith("FETCH_FAILED", expect.stringMatching(/127\.0\.0\.1:\d+.*ECONNREFUSED/)));
    expect(inspect(failure, { depth: 9 })).not.toContain("secret");
  });
});
