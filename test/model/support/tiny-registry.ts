// An npm registry with one small package, on this machine, that can serve it whole, changed or cut.
import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { NpmPackage } from "../../../src/npm-package.ts";

/** What happens to the tarball on its way. */
export type Delivery = "whole" | "changed" | "cut" | "missing";

export interface TinyRegistry {
  readonly url: string;
  /** As it is pinned. */
  readonly npmPackage: NpmPackage;
  delivery: Delivery;
  close(): Promise<void>;
}

/** The package holds `hello.txt`, `noise.bin` of so many bytes, and an install script that must never run. */
export async function startRegistry(noiseBytes = 1000): Promise<TinyRegistry> {
  const tarball = await pack(noiseBytes);
  const integrity = `sha512-${createHash("sha512").update(tarball).digest("base64")}`;
  const server = createServer((request, response) => {
    if (!request.url!.endsWith(".tgz")) {
      const dist = { tarball: `${registry.url}tiny/-/tiny-1.0.0.tgz`, integrity };
      const packument = {
        name: "tiny",
        "dist-tags": { latest: "1.0.0" },
        versions: { "1.0.0": { name: "tiny", version: "1.0.0", dist } },
      };
      response.setHeader("content-type", "application/json").end(JSON.stringify(packument));
    } else if (registry.delivery === "missing") {
      response.writeHead(404).end();
    } else if (registry.delivery === "cut") {
      response.setHeader("content-length", tarball.length).write(tarball.subarray(0, tarball.length / 2));
      setImmediate(() => request.socket.destroy());
    } else {
      const sent = Buffer.from(tarball);
      if (registry.delivery === "changed") sent[Math.floor(sent.length / 2)]! ^= 1;
      response.end(sent);
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const registry: TinyRegistry = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    npmPackage: { name: "tiny@1.0.0", integrity, bytes: tarball.length },
    delivery: "whole",
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
  return registry;
}

/** The address of a registry that is not there: its port was free a moment ago. */
export async function closedRegistry(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return `http://127.0.0.1:${port}/`;
}

async function pack(noiseBytes: number): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), "multibox-pack-"));
  try {
    await mkdir(join(folder, "package"));
    const scripts = { preinstall: "touch ran", install: "touch ran", prepare: "touch ran" };
    const manifest = { name: "tiny", version: "1.0.0", scripts };
    await writeFile(join(folder, "package/package.json"), JSON.stringify(manifest));
    await writeFile(join(folder, "package/hello.txt"), "hello");
    await writeFile(join(folder, "package/noise.bin"), randomBytes(noiseBytes));
    execFileSync("tar", ["-czf", "tiny.tgz", "package"], { cwd: folder });
    return await readFile(join(folder, "tiny.tgz"));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
