// A disk of one megabyte, for what happens when it is full. Only root can mount one.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { mkdir, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Mounts the disk at a new folder while it is used. */
export async function withSmallDisk(path: string, use: () => Promise<void>): Promise<void> {
  await mkdir(path);
  mount(path);
  try {
    await use();
  } finally {
    execFileSync("umount", [path]);
  }
}

/** Files, not folders, with all that is in folders. */
export async function filesIn(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name);
}

function mount(path: string): void {
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", path], { stdio: "ignore" });
}

export function canMount(): boolean {
  if (process.getuid?.() !== 0) return false;
  const path = mkdtempSync(join(tmpdir(), "multibox-test-"));
  try {
    mount(path);
    execFileSync("umount", [path]);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(path, { recursive: true });
  }
}
