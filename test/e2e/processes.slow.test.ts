// No process outlives the server, however it ends; and a server outlives its processes.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile } from "node:fs/promises";
import { createServer, type AddressInfo, type Server } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { demoClip } from "../../src/demo-clip.ts";
import { makeFolder } from "../support/ffmpeg.ts";
import { testCacheDir } from "../support/model.ts";
import { gapOf, launch, startMultibox, withMultibox, type Multibox } from "../support/multibox.ts";
import { childrenOf, isRunning, processesWith, until } from "../support/processes.ts";
import { startRtspServer, type RtspServer } from "../support/rtsp-server.ts";

let folder: Awaited<ReturnType<typeof makeFolder>>;
const file = (name: string): string => join(folder.path, name);

beforeAll(async () => {
  folder = await makeFolder();
  const demo = await demoClip(testCacheDir());
  for (const name of ["a.mp4", "b.mp4"]) await copyFile(demo, file(name));
});
afterAll(() => folder.remove());

describe.skipIf(process.platform !== "linux")("the processes of a server (needs /proc)", () => {
  let camera: RtspServer;
  beforeAll(async () => {
    camera = await startRtspServer();
  });
  afterAll(() => camera.close());

  it.each([
    ["SIGTERM", { code: 0, signal: null }, 1001],
    ["SIGINT", { code: 0, signal: null }, 1001],
    ["SIGKILL", { code: null, signal: "SIGKILL" }, 1006],
  ] as const)(
    "are gone after %s, that of a silent camera and that of a busy file as well",
    async (signal, how, close) => {
      const streams = { cam: camera.url("/cam1"), a: file("a.mp4") };
      const args = Object.entries(streams).flatMap(([id, url]) => ["--stream", `${id}=${url}`]);
      const multibox = await startMultibox([...args, "--file-roots", folder.path]);
      try {
        const client = await multibox.connect("*");
        for (const id of Object.keys(streams)) await client.until((m) => m.type === "detections" && m.stream === id);
        camera.stall();
        // Played as fast as it can be detected, so its ffmpeg waits for us with a full pipe.
        await multibox.add({ id: "file", url: file("b.mp4"), loop: false });
        await client.until((m) => m.type === "detections" && m.stream === "file");
        const children = childrenOf(multibox.pid);
        // Three ffmpegs and the shell that guards them.
        expect(children).toHaveLength(4);
        expect(await multibox.stop(signal)).toMatchObject(how);
        await until(() => !children.some(isRunning));
        expect((await client.closed).code).toBe(close);
      } finally {
        camera.resume();
        await multibox.stop("SIGKILL");
      }
    },
  );

  it("are gone after npm, which started it, is asked to stop", async () => {
    // Without the build before it, which other tests' servers would notice.
    const args = ["start", "--ignore-scripts", "--silent", "--", "--port", "0", "--json", "--no-demo"];
    // The user's own server may be running in the usual folder.
    const env = { ...process.env, MULTIBOX_DATA_DIR: file("data") };
    const npm = spawn("npm", args, { env, stdio: ["ignore", "pipe", "inherit"] });
    let started: number[] = [];
    try {
      await once(npm.stdout, "data");
      started = descendantsOf(npm.pid!);
      expect(started.length).toBeGreaterThan(0);
      npm.kill("SIGTERM");
      await until(() => !started.some(isRunning));
      await until(() => !isRunning(npm.pid!));
    } finally {
      for (const pid of [npm.pid!, ...started].filter(isRunning)) process.kill(pid, "SIGKILL");
    }
  });

  it("are none when the server is asked to stop before it is ready, a download under way", async () => {
    const registry = await startSilentServer();
    const env = {
      npm_config_registry: `http://127.0.0.1:${registry.port}/`,
      npm_config_cache: file("npm"),
      MULTIBOX_CACHE_DIR: file("cache"),
    };
    const { child, exit } = launch(["serve", "--port", "0", "--json"], env);
    try {
      await registry.asked;
      child.kill("SIGTERM");
      expect(await exit).toMatchObject({ code: 0, signal: null, stdout: "" });
    } finally {
      child.kill("SIGKILL");
      registry.server.close();
    }
  });

  it("may be killed: a stream comes back, its books close, and the others do not notice", async () => {
    await withMultibox(["--stream", `a=${file("a.mp4")}`, "--stream", `b=${file("b.mp4")}`], async (multibox) => {
      const client = await multibox.connect("*");
      for (const id of ["a", "b"]) await client.until((m) => m.type === "detections" && m.stream === id);
      const [victim, ...more] = processesWith(file("a.mp4")).filter((pid) => childrenOf(multibox.pid).includes(pid));
      expect(more).toEqual([]);
      process.kill(victim!, "SIGKILL");
      const event = await client.until((m) => m.type === "stream" && m.stream === "a" && m.state === "retrying");
      expect(event).toMatchObject({ error: { code: "FFMPEG_DIED" } });
      const before = { a: lastSeq(client, "a"), b: lastSeq(client, "b") };
      const isLater = (m: (typeof client.messages)[number]): boolean =>
        client.messages.indexOf(m) > client.messages.indexOf(event);
      await client.until((m) => m.type === "stream" && m.stream === "a" && m.state === "live" && isLater(m));
      for (const id of ["a", "b"] as const) {
        await client.until((m) => m.type === "detections" && m.stream === id && m.seq > before[id] + 3);
      }
      for (const stream of await multibox.streams()) {
        expect([stream.id, stream.state, gapOf(stream)]).toEqual([stream.id, "live", 0]);
        const seqs = client.detections(stream.id).map(({ seq }) => seq);
        expect(seqs).toEqual(seqs.map((_, i) => seqs[0]! + i));
      }
      expect(client.messages.some((m) => m.type === "stream" && m.stream === "b" && isLater(m))).toBe(false);
      client.socket.close();
    });
  });
});

const lastSeq = (client: Awaited<ReturnType<Multibox["connect"]>>, id: string): number =>
  client.detections(id).at(-1)!.seq;

/** Takes connections and never answers. */
async function startSilentServer(): Promise<{ server: Server; port: number; asked: Promise<void> }> {
  const server = createServer();
  const asked = new Promise<void>((resolve) => {
    server.on("connection", (socket) => {
      socket.on("error", () => socket.destroy());
      socket.once("data", () => resolve());
    });
  });
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  return { server, port: (server.address() as AddressInfo).port, asked };
}

function descendantsOf(pid: number): number[] {
  return childrenOf(pid).flatMap((child) => [child, ...descendantsOf(child)]);
}
