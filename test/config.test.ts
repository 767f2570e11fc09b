// Settings: their defaults, where they come from, which wins, and what is said of one that cannot be.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { defaultCacheDir } from "../src/cache-dir.ts";
import { Config, postProcessOf } from "../src/config.ts";
import { loadConfig } from "../src/load-config.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "multibox-config-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function file(text: string): Promise<string> {
  const path = join(folder, "multibox.yaml");
  await writeFile(path, text);
  return path;
}

const failsWith = (code: string, message: unknown): unknown =>
  expect.objectContaining({ name: "MultiboxError", code, message });

describe("settings", () => {
  test("have defaults that are safe on a machine of one's own", async () => {
    expect(await loadConfig({})).toEqual({
      captureMaxCount: 5000,
      captureMaxDays: 30,
      captureMaxMb: 2000,
      jobMaxCount: 200,
      jobMaxDays: 7,
      jobMaxMb: 4000,
      jobMaxRunning: 1,
      trainingMaxCount: 50,
      host: "127.0.0.1",
      port: 8080,
      model: "ssdlite-mobilenet-v2",
      engine: "auto",
      precision: "auto",
      workers: 0,
      maxBatch: 8,
      maxDelayMs: 10,
      maxAgeMs: 1000,
      maxModels: 4,
      engineTimeoutSeconds: 60,
      minScore: 0.3,
      maxDecodeWidth: 1920,
      stallSeconds: 10,
      streams: [],
      fileRoots: [],
      historyHours: 24,
      historyMaxMb: 500,
      allowedOrigins: [],
      trustedProxies: [],
      maxConnections: 4096,
      maxConnectionsPerAddress: 1024,
      forbidPrivateAddresses: false,
      logLevel: "info",
      logFormat: "auto",
    });
  });

  test("each say what they are for", () => {
    for (const [name, schema] of Object.entries(Config.shape))
      expect(schema.description, `setting ${name}`).toMatch(/\.$/);
  });

  test("come from a YAML file", async () => {
    const path = await file(`
port: 9000
minScore: 0.5
fileRoots: [/videos]
streams:
  - { id: door, url: "rtsp://camera/1", transport: udp }
  - { id: yard, url: yard.mp4, loop: false }
`);
    const config = await loadConfig({ file: path });
    expect(config).toMatchObject({ port: 9000, minScore: 0.5, fileRoots: ["/videos"], maxBatch: 8 });
    expect(config.streams).toEqual([
      { id: "door", url: "rtsp://camera/1", transport: "udp", loop: true },
      { id: "yard", url: "yard.mp4", transport: "tcp", loop: false },
    ]);
  });

  test("an empty file, or one of comments, says nothing", async () => {
    expect(await loadConfig({ file: await file("") })).toEqual(await loadConfig({}));
    expect(await loadConfig({ file: await file("# port: 1\n") })).toEqual(await loadConfig({}));
  });

  test("come from the environment, under the name in capitals", async () => {
    const env = {
      MULTIBOX_PORT: "9001",
      MULTIBOX_MAX_BATCH: "4",
      MULTIBOX_MAX_DECODE_WIDTH: "640",
      MULTIBOX_CACHE_DIR: "/cache",
      MULTIBOX_LOG_LEVEL: "debug",
      // Neither a list nor what is no setting is taken from here.
      MULTIBOX_STREAMS: "x",
      MULTIBOX_DATA: "/data",
    };
    const config = await loadConfig({ env });
    const wanted = { port: 9001, maxBatch: 4, maxDecodeWidth: 640, cacheDir: "/cache", logLevel: "debug", streams: [] };
    expect(config).toMatchObject(wanted);
  });

  test("of a flag win over the environment, and that over the file", async () => {
    const path = await file("port: 1\nmaxBatch: 1\nworkers: 1\n");
    const env = { MULTIBOX_PORT: "2", MULTIBOX_MAX_BATCH: "2" };
    expect(await loadConfig({ file: path, env, flags: { port: "3" } })).toMatchObject({
      port: 3,
      maxBatch: 2,
      workers: 1,
    });
  });

  test("of a flag that was not given do not hide another", async () => {
    expect(await loadConfig({ env: { MULTIBOX_PORT: "2" }, flags: { port: undefined } })).toMatchObject({ port: 2 });
  });
});

test("settings of post-processing are the model's own where they are absent", async () => {
  expect(postProcessOf(await loadConfig({}))).toEqual({});
  const env = { MULTIBOX_IOU_THRESHOLD: "0.6", MULTIBOX_MAX_DETECTIONS: "9", MULTIBOX_CLASS_AGNOSTIC: "true" };
  const chosen = postProcessOf(await loadConfig({ env, flags: { nms: "soft" } }));
  expect(chosen).toEqual({ iouThreshold: 0.6, maxDetections: 9, suppression: "soft", classAgnostic: true });
});

describe("a setting that cannot be is CONFIG_INVALID, and is named with its value", () => {
  test.each([
    ["port", 70000],
    ["port", "http"],
    ["port", 80.5],
    ["maxBatch", 0],
    ["minScore", 1.5],
    ["iouThreshold", 1.5],
    ["maxDetections", 0],
    ["nms", "none"],
    ["classAgnostic", "perhaps"],
    ["workers", -1],
    ["engine", "tpu"],
    ["precision", "int4"],
    ["logLevel", "loud"],
    ["stallSeconds", 0],
    ["maxDecodeWidth", 10],
    ["streams", "door"],
  ])("%s: %j", async (name, value) => {
    const message = expect.stringContaining(`The setting ${name} is ${JSON.stringify(value)}: `);
    await expect(loadConfig({ flags: { [name]: value } })).rejects.toThrow(failsWith("CONFIG_INVALID", message));
  });

  test("in the environment too", async () => {
    const message = expect.stringContaining('The setting maxBatch is "many": ');
    const loading = loadConfig({ env: { MULTIBOX_MAX_BATCH: "many" } });
    await expect(loading).rejects.toThrow(failsWith("CONFIG_INVALID", message));
  });

  test("deep in the file too", async () => {
    const path = await file("streams: [{ id: door, url: a.mp4 }, { id: yard, url: b.mp4, transport: pigeon }]");
    const message = expect.stringContaining('The setting streams.1.transport is "pigeon": ');
    await expect(loadConfig({ file: path })).rejects.toThrow(failsWith("CONFIG_INVALID", message));
  });

  test("also when it is missing", async () => {
    const path = await file("streams: [{ id: door }]");
    const message = expect.stringContaining("The setting streams.0.url is missing: ");
    await expect(loadConfig({ file: path })).rejects.toThrow(failsWith("CONFIG_INVALID", message));
  });

  test.each([
    ["prot: 1", 'There is no setting "prot".'],
    ["streams: [{ id: door, url: a.mp4, fps: 5 }]", 'There is no setting "fps" in streams.0.'],
  ])("or is none: %s", async (text, message) => {
    const path = await file(text);
    await expect(loadConfig({ file: path })).rejects.toThrow(failsWith("CONFIG_INVALID", `${path}:1: ${message}`));
  });

  test.each([
    [2, "# Where?\nport: 99999"],
    [3, "host: localhost\n\nport:"],
    [2, "host: localhost\nprot: 1"],
    [1, "streams: door"],
    [3, "streams:\n  - id: door\n    url: 7"],
    [2, "streams:\n  - id: door"],
    [4, "streams:\n  - id: door\n    url: a.mp4\n    fps: 5\n  - id: yard\n    url: b.mp4"],
    [6, "streams:\n  - id: door\n    url: a.mp4\n    include:\n      - [[0, 0], [1, 0],\n         [1, 2]]"],
    [4, "streams:\n  - id: door\n    url: a.mp4\n  - id: door\n    url: b.mp4"],
    [4, "streams:\n  - &door { id: door, url: a.mp4,\n      transport: tcp,\n      loop: 7 }\n  - *door"],
    [3, "streams:\n  - id: door\n    url: gopher://h/1"],
  ])("with its line, %i, in the file: %j", async (line, text) => {
    const path = await file(text);
    const message = expect.stringMatching(new RegExp(`^${path}:${line}: (The|There is no) setting `));
    await expect(loadConfig({ file: path })).rejects.toThrow(failsWith("CONFIG_INVALID", message));
  });

  test("but with no line where a flag or the environment said it", async () => {
    const path = await file("port: 1");
    const message = expect.stringMatching(/^The setting port is "x"/);
    for (const source of [{ flags: { port: "x" } }, { env: { MULTIBOX_PORT: "x" } }])
      await expect(loadConfig({ file: path, ...source })).rejects.toThrow(failsWith("CONFIG_INVALID", message));
  });

  test("or is empty, except in the environment, where that is as good as absent", async () => {
    const message = "The setting port is empty.";
    await expect(loadConfig({ flags: { port: "" } })).rejects.toThrow(failsWith("CONFIG_INVALID", message));
    expect(await loadConfig({ env: { MULTIBOX_PORT: "" } })).toMatchObject({ port: 8080 });
  });

  test("or is the id of a stream that another stream has", async () => {
    const path = await file("streams: [{ id: door, url: a.mp4 }, { id: door, url: b.mp4 }]");
    const message = `${path}:1: The setting streams.1.id is "door": another stream has this id.`;
    await expect(loadConfig({ file: path })).rejects.toThrow(failsWith("CONFIG_INVALID", message));
  });
});

describe("a secret is not repeated", () => {
  test("when a token is too short", async () => {
    const failure = await loadConfig({ flags: { token: "hunter2" } }).catch(String);
    expect(failure).toMatch(/^CONFIG_INVALID: The setting token/);
    expect(failure).not.toContain("hunter2");
  });

  test.each([
    "streams: [{ url: 'rtsp://me:hunter2@camera/1' }]",
    "streams: ['rtsp://me:hunter2@camera/1']",
    "streams: [{ id: 'rtsp://me:hunter2@camera/1', url: x }]",
    `streams: [{ id: door, url: 'rtsp://me:hunter2@camera/${"x".repeat(2048)}' }]`,
    "streams: [{ id: door, url: 'rtsp://me:hunter2@camera/1', fps: 5 }]",
    "streams: [{ id: door, url: 'rtsp://me:hunter2@camera/1 }]",
  ])("when a stream with a password is not right: %s", async (text) => {
    const failure = await loadConfig({ file: await file(text) }).catch(String);
    expect(failure).toMatch(/^CONFIG_(INVALID|UNREADABLE): /);
    expect(failure).not.toContain("hunter2");
  });
});

describe("a file that cannot be read is CONFIG_UNREADABLE", () => {
  test("when it does not exist", async () => {
    const path = join(folder, "nothing.yaml");
    const message = `The settings in ${path} cannot be read: it does not exist.`;
    await expect(loadConfig({ file: path })).rejects.toThrow(failsWith("CONFIG_UNREADABLE", message));
  });

  test("when it is a folder, or no YAML", async () => {
    for (const path of [folder, await file("port: [1")]) {
      const message = expect.stringContaining(`The settings in ${path} cannot be read: `);
      await expect(loadConfig({ file: path })).rejects.toThrow(failsWith("CONFIG_UNREADABLE", message));
    }
  });

  test("when it is too large, nested too deeply, or repeats itself without end", async () => {
    const aliases = ["a: &a [1,1,1,1,1,1,1,1,1,1]", ..."bcdefgh".split("")].map((name, i) =>
      i === 0 ? name : `${name}: &${name} [${Array.from({ length: 10 }, () => `*${"abcdefgh"[i - 1]}`).join()}]`,
    );
    const cases = [
      ["# a comment\n".repeat(100_000), "more than 1 MiB"],
      ["[".repeat(200_000), "cannot be read"],
      [aliases.join("\n"), "cannot be read"],
    ] as const;
    for (const [text, reason] of cases) {
      const message = expect.stringContaining(reason);
      await expect(loadConfig({ file: await file(text) })).rejects.toThrow(failsWith("CONFIG_UNREADABLE", message));
    }
  });

  test.each(["just words", "- port", "7"])("when it holds no settings: %s", async (text) => {
    const message = expect.stringContaining("cannot be read: ");
    await expect(loadConfig({ file: await file(text) })).rejects.toThrow(failsWith("CONFIG_UNREADABLE", message));
  });
});

test("the cache folder is the user's own, named after the product", () => {
  expect(defaultCacheDir()).toMatch(/multibox/);
});
