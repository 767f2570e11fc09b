// The doctor: what is missing is said in a sentence, each by its name, and makes the whole fail.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { doctor } from "../../src/commands/doctor.ts";
import { Config } from "../../src/config.ts";

test("a data folder that cannot be, a port in use and a model that is not there are found, and the rest is well", async () => {
  const folder = mkdtempSync(join(tmpdir(), "multibox-doctor-"));
  const log = vi.spyOn(console, "log").mockReturnValue();
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  try {
    writeFileSync(join(folder, "file"), "");
    const { port } = other.address() as AddressInfo;
    const config = Config.parse({ port, model: join(folder, "no-model") });
    const dataDir = join(folder, "file", "data");
    expect(await doctor({ config, cacheDir: join(folder, "cache"), dataDir, json: true })).toBe(false);
    const { ok, findings } = JSON.parse(String(log.mock.lastCall)) as {
      ok: boolean;
      findings: { name: string; state: string; says: string }[];
    };
    expect(ok).toBe(false);
    const of = (name: string): string => {
      const { state, says } = findings.find((finding) => finding.name === name)!;
      return `${state}: ${says}`;
    };
    expect(of("data")).toMatch(/^missing: FOLDER_NOT_WRITABLE: .*ENOTDIR/);
    expect(of("port")).toMatch(new RegExp(`^warning: 127.0.0.1:${port} .*EADDRINUSE`));
    expect(of("detection")).toMatch(/^missing: MODEL_.*no-model/);
    expect(of("cache")).toMatch(/^ok: /);
    // Builds from git name a commit in place of a version: `ffmpeg N-47683-g0e8eb07980`.
    expect(of("ffmpeg")).toMatch(/^(?:ok: (?:n?\d|N-)|warning: ffmpeg \S+ .* is older than 5\.1)/);
    expect(of("protocols")).toContain("rtsp");
  } finally {
    other.close();
    log.mockRestore();
    rmSync(folder, { recursive: true });
  }
});
