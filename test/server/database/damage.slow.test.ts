// Random bytes over a database under a running server: changes are refused, frames flow, and nothing more is written into the file.
import { createHash, randomBytes } from "node:crypto";
import {
  closeSync,
  cpSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { demoClip } from "../../../src/demo-clip.ts";
import { testCacheDir } from "../../support/model.ts";
import { type Multibox, runMultibox, startMultibox } from "../../support/multibox.ts";
import { until } from "../../support/processes.ts";

const FRAMES = 5;
const PAGE = 4096;

let clip: string;
let folder: string;
/** A data folder whose database has some thirty pages, none of them in the log. */
let filled: string;

beforeAll(async () => {
  clip = await demoClip(testCacheDir());
  folder = mkdtempSync(join(tmpdir(), "multibox-damage-"));
  filled = join(folder, "filled");
  const multibox = await start(filled);
  try {
    const zone = Array.from({ length: 64 }, (_, i) => [Math.abs(Math.sin(i)), Math.abs(Math.cos(i))]);
    for (let i = 0; i < 30; i++)
      await multibox.add({ id: `still${i}`, url: clip, paused: true, include: [zone] as never });
    await multibox.add({ id: "cam", url: clip, loop: true, maxFps: 20 });
  } finally {
    await multibox.stop();
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function start(dataDir: string): Promise<Multibox> {
  return startMultibox(["--no-demo", "--file-roots", join(clip, "..")], { MULTIBOX_DATA_DIR: dataDir });
}

function overwrite(file: string, from: number, to: number): void {
  const descriptor = openSync(file, "r+");
  writeSync(descriptor, randomBytes(to - from), 0, to - from, from);
  closeSync(descriptor);
}

const digest = (file: string): string => createHash("sha256").update(readFileSync(file)).digest("hex");
const digests = (file: string): (string | false)[] =>
  [file, `${file}-wal`].map((path) => existsSync(path) && digest(path));

async function problem(answer: Promise<Response>): Promise<unknown[]> {
  const { status, ...rest } = await answer.then(async (one) => ({ status: one.status, body: await one.json() }));
  return [status, (rest.body as { code?: string }).code];
}

const DAMAGED = [503, "STORE_DAMAGED"];

async function requireFrames(multibox: Multibox): Promise<void> {
  const client = await multibox.connect("cam");
  await until(() => client.detections().length >= FRAMES);
  client.socket.close();
}

test.each([
  ["its header", "header", () => [0, 100]],
  ["pages in the middle", "middle", (bytes: number) => [2 * PAGE, bytes - PAGE]],
] as const)(
  "with random bytes over %s, changes of multibox.db are refused with STORE_DAMAGED",
  async (_what, name, rangeOf) => {
    const dataDir = join(folder, name);
    cpSync(filled, dataDir, { recursive: true });
    const file = join(dataDir, "multibox.db");
    expect(statSync(file).size).toBeGreaterThan(8 * PAGE);
    const multibox = await start(dataDir);
    try {
      await requireFrames(multibox);
      const [from, to] = rangeOf(statSync(file).size);
      overwrite(file, from!, to!);
      const json = { "content-type": "application/json" };
      expect(await problem(multibox.add({ id: "lost", url: clip, paused: true }))).toEqual(DAMAGED);
      const change = { method: "PATCH", headers: json, body: '{"maxFps":3}' };
      expect(await problem(multibox.ask("/v1/streams/still1", change))).toEqual(DAMAGED);
      expect(await problem(multibox.ask("/v1/streams/still1", { method: "DELETE" }))).toEqual(DAMAGED);
      expect(
        await problem(
          multibox.ask("/v1/jobs", {
            method: "POST",
            headers: json,
            body: JSON.stringify({ path: clip, out: ["jsonl"] }),
          }),
        ),
      ).toEqual(DAMAGED);

      const ready = await multibox.ask("/health/ready");
      expect([ready.status, await ready.json()]).toEqual([
        503,
        expect.objectContaining({
          status: "not ready",
          store: { state: "failing", error: expect.objectContaining({ code: "STORE_DAMAGED" }) },
        }),
      ]);
      expect(await multibox.streams()).toHaveLength(31);
      await requireFrames(multibox);

      const before = digests(file);
      const { code, signal, stderr } = await multibox.stop();
      expect([code, signal]).toEqual([0, null]);
      expect(stderr).toContain("STORE_DAMAGED");
      expect(digests(file)).toEqual(before);
    } finally {
      await multibox.stop("SIGKILL");
    }
    const before = digests(file);
    const refused = await runMultibox(["serve", "--port", "0"], { MULTIBOX_DATA_DIR: dataDir });
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("STORE_DAMAGED")]);
    expect(refused.stderr).toContain("moved to quarantine/");
    expect(digests(file)).toEqual(before);
  },
);
