// Everything that users get wrong, given to the real program: each gets a sentence with a code, and everything else goes on.
import { copyFile, cp, mkdir, readdir, readFile, truncate, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DetectAnswer, NewStream } from "../../src/server/protocol.ts";
import { demoClip } from "../../src/demo-clip.ts";
import { tinyDisk } from "../model/support/tiny-disk.ts";
import { makeBadFile } from "../support/bad-files.ts";
import { best } from "../support/boxes.ts";
import { ffmpeg, makeFolder } from "../support/ffmpeg.ts";
import { SSDLITE_MOBILENET_V2 } from "../../src/model/specs.ts";
import { modelFolder } from "../../src/model/zoo.ts";
import { DEFAULT_MODEL, defaultModelFolder, testCacheDir } from "../support/model.ts";
import { gapOf, runMultibox, startMultibox, type Multibox } from "../support/multibox.ts";
import { startRtspServer } from "../support/rtsp-server.ts";
import type { SocketClient } from "../support/socket-client.ts";

const PASSWORD = "s3cr:t@/#pw";
const SECRETS = [PASSWORD, encodeURIComponent(PASSWORD), "s3cr"];

let folder: Awaited<ReturnType<typeof makeFolder>>;
let demo: string;
const file = (name: string): string => join(folder.path, name);

beforeAll(async () => {
  folder = await makeFolder();
  demo = await demoClip(testCacheDir());
});
afterAll(() => folder.remove());

describe("a server that cannot start", () => {
  it.each([
    ["FFMPEG_PATH that names none", "/nonexistent/ffmpeg"],
    ["FFMPEG_PATH that names something else", process.execPath],
  ])("says so with exit code 1: %s", async (_, path) => {
    const { code, stdout, stderr } = await runMultibox(["serve", "--port", "0"], { FFMPEG_PATH: path });
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^multibox: FFMPEG_MISSING: FFMPEG_PATH is .+\. Install ffmpeg .+\n$/);
  });

  it("says that the model is damaged when one byte of it has changed", async () => {
    await cp(defaultModelFolder(), file("model"), { recursive: true });
    const weights = await readFile(file("model/weights.safetensors"));
    weights[weights.length - 1000]! ^= 1;
    await writeFile(file("model/weights.safetensors"), weights);
    for (const args of [
      ["serve", "--port", "0"],
      ["detect", "any.jpg"],
    ]) {
      const { code, stdout, stderr } = await runMultibox([...args, "--model", file("model")]);
      expect([code, stdout]).toEqual([1, ""]);
      expect(stderr).toMatch(
        /^multibox: MODEL_CORRUPT: The model in .+ is damaged: .+SHA-256.+pull NAME --force.+\n$/m,
      );
    }
    // The same in the cache, under its name, as a disk that forgets would do it.
    await mkdir(file("cache/models"), { recursive: true });
    await cp(file("model"), modelFolder(SSDLITE_MOBILENET_V2, file("cache")), { recursive: true });
    const cached = await runMultibox(["serve", "--port", "0", "--cache-dir", file("cache")]);
    expect(cached).toMatchObject({ code: 1, stderr: expect.stringContaining("MODEL_CORRUPT") as string });
  });

  it("says that there is no model in a folder", async () => {
    const { code, stderr } = await runMultibox(["serve", "--port", "0", "--model", file("nowhere")]);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^multibox: MODEL_NOT_FOUND: .+\n$/m)]);
  });

  const disk = tinyDisk();
  afterAll(() => disk?.unmount());

  it.skipIf(!disk)(
    "says that the cache disk is full, and leaves nothing there (needs root, to mount one)",
    async () => {
      const { path } = disk!;
      const pull = ["models", "pull", DEFAULT_MODEL];
      const { code, stdout, stderr } = await runMultibox([...pull, "--cache-dir", path]);
      expect([code, stdout]).toEqual([1, ""]);
      expect(stderr).toMatch(/^multibox: DISK_FULL: There is no space left in .+\. Free about 300 MB, .+\n$/);
      expect(await filesIn(path)).toEqual([]);
      // A model from elsewhere serves without that disk; only the demo is missing.
      const bare = await startMultibox(["--cache-dir", path, "--model", defaultModelFolder()]);
      const ended = await bare.stop();
      expect(bare.ready.streams).toEqual([]);
      expect([ended.code, ended.stderr]).toEqual([0, expect.stringContaining("DISK_FULL")]);
      expect(await filesIn(path)).toEqual([]);
    },
  );
});

describe("a server that runs", () => {
  let multibox: Multibox;
  let watcher: SocketClient;

  beforeAll(async () => {
    await mkdir(file("a-folder.mp4"));
    const streams = { demo, missing: file("missing.mp4"), folder: file("a-folder.mp4") };
    const args = Object.entries(streams).flatMap(([id, url]) => ["--stream", `${id}=${url}`]);
    multibox = await startMultibox([...args, "--file-roots", folder.path]);
    watcher = await multibox.connect("demo");
  });
  afterAll(async () => {
    await multibox?.stop();
  });

  /** Whatever was done, the demo is detected on, and the books of all streams close. */
  async function goesOn(): Promise<void> {
    const last = watcher.detections("demo").at(-1)?.seq ?? -1;
    await watcher.until((m) => m.type === "detections" && m.seq > last);
    for (const stream of await multibox.streams()) expect([stream.id, gapOf(stream)]).toEqual([stream.id, 0]);
  }

  /** What a stream comes to say of itself; it is removed afterwards. */
  async function fateOf(url: string, loop = false): Promise<{ state: string; code: string; message: string }> {
    const answer = await multibox.add({ id: "bad", url, loop });
    const text = await answer.text();
    expect([answer.status, text]).toEqual([201, expect.not.stringContaining(PASSWORD)]);
    const { state, error } = await multibox.streamOnce("bad", (stream) => stream.error !== undefined);
    expect(error!.message).toMatch(/^[A-Z"].+\.$/);
    await goesOn();
    expect((await multibox.ask("/v1/streams/bad", { method: "DELETE" })).status).toBe(204);
    return { state, code: error!.code, message: error!.message };
  }

  async function refusal(answer: Response): Promise<[number, string]> {
    const text = await answer.text();
    for (const secret of SECRETS) expect(text).not.toContain(secret);
    const { code, detail, hint } = JSON.parse(text) as { code: string; detail: string; hint: string };
    expect(detail).toMatch(/\.$/);
    expect(hint).toMatch(/^$|\.$|\?$/);
    await goesOn();
    return [answer.status, code];
  }

  it("tells of configured files that are missing or folders", async () => {
    const found = await multibox.streamOnce("missing", ({ error }) => error !== undefined);
    expect(found).toMatchObject({ state: "misconfigured", error: { code: "FILE_NOT_FOUND" } });
    const other = await multibox.streamOnce("folder", ({ error }) => error !== undefined);
    expect(other).toMatchObject({ state: "misconfigured", error: { code: "FILE_NOT_READABLE" } });
    await goesOn();
  });

  it.each([
    ["a text file", "notes.txt", "STREAM_NOT_VIDEO"],
    ["a photo", "photo.jpg", "STREAM_NOT_VIDEO"],
    ["a photo that is called a video", "photo.mp4", "STREAM_NOT_VIDEO"],
    ["sound alone", "sound.wav", "STREAM_NOT_VIDEO"],
    ["noise", "noise.mp4", "STREAM_NOT_VIDEO"],
    ["an MP4 that lost its end, and with it its index", "no-index.mp4", "STREAM_NOT_VIDEO"],
    ["an MP4 that lost its end", "cut.mp4", "STREAM_TRUNCATED"],
    ["an AVI that lost its end", "cut.avi", "STREAM_TRUNCATED"],
    ["a video without a frame", "no-frame.avi", "STREAM_EMPTY"],
    ["an empty file", "empty.mp4", "STREAM_EMPTY"],
  ])("says what is wrong with %s", async (_, name, code) => {
    await makeBadFile(folder.path, name, demo);
    expect(await fateOf(file(name))).toMatchObject({ state: "ended", code });
  });

  it("tries a looped file that is no video again", async () => {
    await makeBadFile(folder.path, "notes.txt", demo);
    expect(await fateOf(file("notes.txt"), true)).toMatchObject({ state: "retrying", code: "STREAM_NOT_VIDEO" });
  });

  it("plays what there is of a transport stream that was cut off", async () => {
    await ffmpeg("-t 1 -i", demo, "-c:v mpeg2video -f mpegts", file("whole.ts"));
    await copyFile(file("whole.ts"), file("cut.ts"));
    await truncate(file("cut.ts"), 100_001);
    expect((await multibox.add({ id: "ts", url: file("cut.ts"), loop: false })).status).toBe(201);
    const { counts } = await multibox.streamOnce("ts", ({ state }) => state === "ended");
    expect(counts.detected).toBeGreaterThan(0);
    expect(counts.detected).toBe(counts.decoded);
    await goesOn();
  });

  it("says that a camera cannot be reached, or refuses the password", async () => {
    const nobody = await fateOf(`rtsp://admin:${PASSWORD}@127.0.0.1:${await closedPort()}/cam1`);
    expect(nobody).toMatchObject({ state: "retrying", code: "STREAM_UNREACHABLE" });
    const web = await fateOf(`http://admin:${PASSWORD}@127.0.0.1:${await closedPort()}/video.mp4`);
    expect(web).toMatchObject({ state: "retrying", code: "STREAM_UNREACHABLE" });
    const camera = await startRtspServer({ auth: { user: "admin", password: "another" } });
    try {
      const url = camera.url("/cam1").replace("://", `://admin:${PASSWORD}@`);
      expect(await fateOf(url)).toMatchObject({ state: "misconfigured", code: "STREAM_AUTH_FAILED" });
    } finally {
      await camera.close();
    }
  });

  it.each([
    ["an unknown scheme", { url: `ftp://admin:${PASSWORD}@192.0.2.7/x` }, 400, "STREAM_BAD_SCHEME"],
    ["a file outside of the folders", { url: "/etc/passwd" }, 403, "FILE_NOT_ALLOWED"],
    ["a way out of the folders", { url: "FOLDER/../../etc/passwd" }, 403, "FILE_NOT_ALLOWED"],
    ["a missing file", { url: "FOLDER/missing.mp4" }, 400, "FILE_NOT_FOUND"],
    ["a folder", { url: "FOLDER/a-folder.mp4" }, 400, "FILE_NOT_FOUND"],
    ["a taken id", { id: "demo", url: `rtsp://admin:${PASSWORD}@192.0.2.7/x` }, 409, "STREAM_EXISTS"],
    ["an id with a slash", { id: "../demo" }, 400, "BAD_REQUEST"],
    ["an unknown field", { user: "admin" }, 400, "BAD_REQUEST"],
    ["an unknown transport", { url: `rtsp://admin:${PASSWORD}@192.0.2.7/x`, transport: "http" }, 400, "BAD_REQUEST"],
    ["an address too long", { url: `rtsp://admin:${PASSWORD}@192.0.2.7/${"x".repeat(3000)}` }, 400, "BAD_REQUEST"],
  ])("refuses a new stream with %s", async (_, stream, status, code) => {
    const url = "url" in stream ? stream.url.replace("FOLDER", folder.path) : "rtsp://192.0.2.7/x";
    expect(await refusal(await multibox.add({ id: "new", ...stream, url } as NewStream))).toEqual([status, code]);
    expect((await multibox.ask("/v1/streams/new")).status).toBe(404);
  });

  it("refuses what is no JSON without repeating it", async () => {
    const headers = { "content-type": "application/json" };
    const body = `{"id": "new", "url": "rtsp://admin:${PASSWORD}@192.0.2.7/x`;
    const answer = await multibox.ask("/v1/streams", { method: "POST", headers, body });
    expect(await refusal(answer)).toEqual([400, "BAD_REQUEST"]);
  });

  it("looks at pictures of one pixel and of 48 million, and refuses a broken, a foreign and a larger one", async () => {
    const post = (body: Buffer): Promise<Response> =>
      multibox.ask("/v1/detect", {
        method: "POST",
        headers: { "content-type": "image/jpeg" },
        body: new Uint8Array(body),
      });
    const car = await ffmpeg("-ss 1.5 -i", demo, "-frames:v 1 -f mjpeg -");
    const sized = (width: number, height: number): Promise<Buffer> =>
      sharp(car).resize(width, height, { fit: "fill", kernel: "nearest" }).jpeg().toBuffer();
    const dot = await post(await sized(1, 1));
    expect([dot.status, await dot.json()]).toMatchObject([200, { width: 1, height: 1 }]);
    const huge = await post(await sized(8000, 6000));
    const { width, height, detections } = (await huge.json()) as DetectAnswer;
    expect([huge.status, width, height]).toEqual([200, 8000, 6000]);
    expect(best(detections, "car")!.bbox[2]).toBeGreaterThan(4000);
    expect(await refusal(await post(car.subarray(0, car.length / 2)))).toEqual([400, "PICTURE_UNREADABLE"]);
    expect(await refusal(await post(Buffer.from("<svg/>")))).toEqual([400, "PICTURE_UNREADABLE"]);
    // It says so in its header, and that is enough.
    const header = car.indexOf(Buffer.from([0xff, 0xc0]));
    car.writeUInt16BE(10_000, header + 5);
    car.writeUInt16BE(8000, header + 7);
    expect(await refusal(await post(car))).toEqual([413, "PICTURE_TOO_LARGE"]);
  });

  it("answers senseless WebSocket messages, and ends a connection only when one is endless", async () => {
    const client = await multibox.connect();
    const error = (code: string): object => ({ ok: false, error: { code } });
    expect(await client.ask({ type: "subscribe", streams: ["demo"], fps: 5 })).toMatchObject(error("BAD_MESSAGE"));
    expect(await client.ask({ type: "subscribe", streams: ["nowhere"] })).toMatchObject(error("STREAM_UNKNOWN"));
    expect(await client.ask({ type: "subscribe", streams: ["*"], labels: ["unicorn"] })).toMatchObject(
      error("LABEL_UNKNOWN"),
    );
    expect(await client.sendRaw("x".repeat(1_000_000))).toMatchObject(error("BAD_MESSAGE"));
    expect(await client.sendRaw(Buffer.from([1, 2, 3]))).toMatchObject(error("BAD_MESSAGE"));
    expect(await client.ask({ type: "subscribe", streams: ["demo"] })).toMatchObject({ ok: true });
    await client.until((m) => m.type === "detections");
    client.socket.send("x".repeat(5_000_000));
    expect((await client.closed).code).toBe(1009);
    await goesOn();
  });

  it("keeps its port: a second server says that it is in use", async () => {
    const { code, stdout, stderr } = await runMultibox(["serve", "--port", String(multibox.ready.port)]);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain(`multibox: PORT_IN_USE: Port ${multibox.ready.port} of 127.0.0.1 is in use`);
    await goesOn();
  });

  it("has told no password and shown no stack trace in all this", async () => {
    const said = multibox.stdout + multibox.stderr + JSON.stringify(watcher.messages);
    for (const secret of SECRETS) expect(said).not.toContain(secret);
    expect(multibox.stderr).toContain("STREAM_AUTH_FAILED");
    expect(multibox.stderr).not.toMatch(/\\n\s+at |^\s+at /m);
    // Nothing was a bug: those are logged as errors, users' mistakes are not.
    expect(multibox.stderr).not.toMatch(/"level":[56]0/);
  });
});

async function closedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Files, not folders, with all that is in folders. */
async function filesIn(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name);
}
