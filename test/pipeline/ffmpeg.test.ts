// Finding and running ffmpeg, with the real one.
import { chmod, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runFfmpeg, runFfmpegToFile } from "../../src/pipeline/ffmpeg.ts";
import { findFfmpeg, type Ffmpeg } from "../../src/pipeline/find-ffmpeg.ts";
import { makeFolder } from "../support/ffmpeg.ts";
import { isRunning, processesWith, until } from "../support/processes.ts";

let folder: Awaited<ReturnType<typeof makeFolder>>;
let found: Ffmpeg;
beforeAll(async () => {
  folder = await makeFolder();
  found = await findFfmpeg();
});
afterAll(() => folder.remove());

const shipped = ((): string | undefined => {
  try {
    return (createRequire(import.meta.url)("@ffmpeg-installer/ffmpeg") as { path: string }).path;
  } catch {
    return undefined;
  }
})();

/** Something that calls itself ffmpeg. */
async function impostor(name: string, version: string, libavutil: string): Promise<string> {
  const path = join(folder.path, name);
  await writeFile(path, `#!/bin/sh\necho 'ffmpeg version ${version} Copyright'\necho 'libavutil      ${libavutil}'\n`);
  await chmod(path, 0o755);
  return path;
}

const sink = (chunks: Buffer[] = []): Writable =>
  new Writable({
    autoDestroy: false,
    emitClose: false,
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });

const ENDLESS = { url: "testsrc=s=64x48:r=10", options: ["-re", "-f", "lavfi"] };
const RAW = ["-f", "rawvideo", "-pix_fmt", "gray"];

describe("findFfmpeg", () => {
  test("FFMPEG_PATH comes before PATH", async () => {
    const path = await impostor("mine", "6.1", "58. 29.100");
    await expect(findFfmpeg({ ...process.env, FFMPEG_PATH: path })).resolves.toEqual({
      path,
      version: "6.1",
      syncOption: "-fps_mode",
      takesScripts: true,
    });
  });

  test("a FFMPEG_PATH that does not run is an error, not a reason to take another", async () => {
    await expect(findFfmpeg({ ...process.env, FFMPEG_PATH: "/nowhere/ffmpeg" })).rejects.toMatchObject({
      code: "FFMPEG_MISSING",
      message: expect.stringContaining("/nowhere/ffmpeg") as string,
      hint: expect.stringContaining("Install ffmpeg") as string,
    });
  });

  test("the first ffmpeg on PATH that runs is taken", async () => {
    await impostor("ffmpeg", "5.1.9-0+deb12u1", "57. 28.100");
    const PATH = `/nowhere:${folder.path}:${process.env["PATH"]}`;
    await expect(findFfmpeg({ PATH })).resolves.toMatchObject({ path: join(folder.path, "ffmpeg") });
  });

  test.each([
    ["4.1", "56. 22.100"],
    ["5.0.1", "57. 17.100"],
    ["N-47683-g0e8eb07980-static", "56. 24.101"],
  ])("ffmpeg %s gets the old option and a warning", async (version, libavutil) => {
    const path = await impostor("old", version, libavutil);
    const old = await findFfmpeg({ FFMPEG_PATH: path });
    expect(old.syncOption).toBe("-vsync");
    expect(old.warning).toContain("5.1");
  });

  test.skipIf(!shipped)("without one on PATH the npm package's is taken (needs @ffmpeg-installer/ffmpeg)", async () => {
    const { mode } = await stat(shipped!);
    expect((await findFfmpeg({ PATH: "" })).path).toBe(shipped);
    expect(mode & 0o100).not.toBe(0);
  });
});

describe("runFfmpeg", () => {
  test("every byte of the output comes before the run is done", async () => {
    const chunks: Buffer[] = [];
    const { done } = runFfmpeg({
      ffmpeg: found,
      inputs: [{ url: "testsrc=s=320x240:r=10:d=1", options: ["-f", "lavfi"] }],
      outputOptions: RAW,
      output: sink(chunks),
    });
    await expect(done).resolves.toMatchObject({ code: 0, signal: null });
    expect(Buffer.concat(chunks)).toHaveLength(320 * 240 * 10);
  });

  test("options and paths with blanks and quotes arrive as they are", async () => {
    const output = join(folder.path, "a 'b' c.txt");
    await runFfmpegToFile({
      ffmpeg: found,
      inputs: [{ url: "testsrc=d=1:r=1", options: ["-f", "lavfi"] }],
      outputOptions: ["-metadata", "title=two words", "-metadata", "artist=one more blank", "-f", "ffmetadata"],
      output: `file:${output}`,
    });
    const text = await readFile(output, "utf8");
    expect(text).toContain("title=two words");
    expect(text).toContain("artist=one more blank");
  });

  test("a kill that comes before the process does is kept for it", async () => {
    const handle = runFfmpeg({ ffmpeg: found, inputs: [ENDLESS], outputOptions: RAW, output: sink() });
    handle.kill("SIGKILL");
    await expect(handle.done).resolves.toMatchObject({ code: null, signal: "SIGKILL" });
    handle.kill("SIGKILL");
  });

  test("a run that is killed while its output is not taken ends once it is", async () => {
    let take: (() => void) | undefined;
    const output = new Writable({
      autoDestroy: false,
      emitClose: false,
      write: (_chunk, _encoding, done) => void (take = done),
    });
    const ended = { value: false };
    const handle = runFfmpeg({
      ffmpeg: found,
      inputs: [{ url: "testsrc=s=640x480:r=25", options: ["-f", "lavfi"] }],
      outputOptions: ["-metadata", `comment=${folder.path}`, ...RAW],
      output,
    });
    const done = handle.done.then((exit) => {
      ended.value = true;
      return exit;
    });
    await until(() => take !== undefined);
    const [pid] = processesWith(folder.path);
    handle.kill("SIGKILL");
    await until(() => !isRunning(pid!));
    expect(ended.value).toBe(false);
    const drain = async (): Promise<void> => {
      while (!ended.value) {
        take?.();
        await sleep(1);
      }
    };
    await Promise.all([done, drain()]);
  });

  test("neither lines nor the tail show the password", async () => {
    const lines: string[] = [];
    const { done } = runFfmpeg({
      ffmpeg: found,
      inputs: [{ url: "http://admin:s3cret@127.0.0.1:1/x" }],
      outputOptions: RAW,
      output: sink(),
      onLine: (line) => lines.push(line),
    });
    const { code, stderrTail } = await done;
    expect(code).not.toBe(0);
    expect(lines.join()).toContain("Connection refused");
    expect([...lines, ...stderrTail].join()).not.toContain("s3cret");
  });

  test("a file that cannot be written is FFMPEG_FAILED with the reason", async () => {
    const inputs = [{ url: "testsrc=d=1", options: ["-f", "lavfi"] }];
    const run = { ffmpeg: found, inputs, outputOptions: ["-f", "avi"], output: "/nowhere/a.avi" };
    await expect(runFfmpegToFile(run)).rejects.toMatchObject({
      code: "FFMPEG_FAILED",
      message: expect.stringContaining("No such file or directory") as string,
    });
  });

  test("a binary that vanished is FFMPEG_MISSING", async () => {
    const ffmpeg = { ...found, path: join(folder.path, "gone") };
    await symlink("/nowhere", ffmpeg.path);
    const { done } = runFfmpeg({ ffmpeg, inputs: [ENDLESS], outputOptions: RAW, output: sink() });
    await expect(done).rejects.toMatchObject({ code: "FFMPEG_MISSING" });
  });
});
