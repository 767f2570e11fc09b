// Fetching a pinned npm package from a registry of our own, on a machine that has never seen the package.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { fetchNpmPackage, type NpmPackage } from "../src/npm-package.ts";

afterEach(() => vi.unstubAllEnvs());

test("a package that no cache holds is unpacked into the folder, and nothing else is left", async () => {
  await withRegistry(async ({ folder, pinned }) => {
    const seen: number[] = [];
    await fetchNpmPackage(pinned, join(folder, "unpacked"), (done) => seen.push(done));
    expect(readFileSync(join(folder, "unpacked/hello.txt"), "utf8")).toBe(folder);
    expect(seen.at(-1)).toBe(pinned.bytes);
    expect(readdirSync(folder).toSorted()).toEqual(["npm", "package", "package.tgz", "unpacked"]);
  });
});

test("a package that is not the pinned one is CHECKSUM_MISMATCH", async () => {
  await withRegistry(async ({ folder, pinned }) => {
    const integrity = `sha512-${createHash("sha512").update("another").digest("base64")}`;
    const fetched = fetchNpmPackage({ ...pinned, integrity }, join(folder, "unpacked"));
    await expect(fetched).rejects.toMatchObject({ code: "CHECKSUM_MISMATCH" });
    expect(readdirSync(folder).toSorted()).toEqual(["npm", "package", "package.tgz", "unpacked"]);
  });
});

test("a package that the registry does not have is FETCH_FAILED, with its name", async () => {
  await withRegistry(async ({ folder, pinned }) => {
    const fetched = fetchNpmPackage({ ...pinned, name: "missing@1.0.0" }, join(folder, "unpacked"));
    await expect(fetched).rejects.toMatchObject({
      code: "FETCH_FAILED",
      message: expect.stringContaining("missing@1.0.0"),
    });
  });
});

interface Registry {
  readonly folder: string;
  readonly pinned: NpmPackage;
}

/** A registry on this machine that has `hello@1.0.0` alone, whose content is new each time so that no cache has it. */
async function withRegistry(run: (registry: Registry) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "multibox-registry-"));
  mkdirSync(join(folder, "package"));
  mkdirSync(join(folder, "unpacked"));
  writeFileSync(join(folder, "package/package.json"), '{"name":"hello","version":"1.0.0"}');
  writeFileSync(join(folder, "package/hello.txt"), folder);
  execFileSync("tar", ["-czf", "package.tgz", "package"], { cwd: folder });
  const tarball = readFileSync(join(folder, "package.tgz"));
  const integrity = `sha512-${createHash("sha512").update(tarball).digest("base64")}`;
  const server = createServer((request, response) => {
    const dist = { tarball: `http://${request.headers.host}/hello.tgz`, integrity };
    const versions = { "1.0.0": { name: "hello", version: "1.0.0", dist } };
    if (request.url === "/hello")
      response.end(JSON.stringify({ name: "hello", "dist-tags": { latest: "1.0.0" }, versions }));
    else if (request.url === "/hello.tgz") response.end(tarball);
    else response.writeHead(404).end("{}");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  vi.stubEnv("npm_config_registry", `http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  vi.stubEnv("npm_config_cache", join(folder, "npm"));
  try {
    await run({ folder, pinned: { name: "hello@1.0.0", integrity, bytes: tarball.length } });
  } finally {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
