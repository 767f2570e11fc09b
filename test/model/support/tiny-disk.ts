// A disk that is full after one megabyte, or as many as a test wants.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Mounts one; undefined where that is not allowed. */
export function tinyDisk(megabytes = 1): { path: string; unmount: () => void } | undefined {
  const path = mkdtempSync(join(tmpdir(), "multibox-disk-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", path], { stdio: "ignore" });
  } catch {
    rmSync(path, { recursive: true });
    return undefined;
  }
  const unmount = (): void => {
    execFileSync("umount", [path]);
    rmSync(path, { recursive: true });
  };
  return { path, unmount };
}
