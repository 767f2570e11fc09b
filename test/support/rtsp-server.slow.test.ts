// The test camera itself, watched by a real ffmpeg.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createConnection } from "node:net";
import { setTimeout } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { findFfmpeg } from "../../src/pipeline/find-ffmpeg.ts";
import { startRtspServer, type RtspServer, type RtspServerOptions } from "./rtsp-server.ts";

const auth = { user: "cam", password: "p@ss:w/rd" };
const WAIT = { timeout: 10_000, interval: 20 };
const transports = ["tcp", "udp"] as const;
type Transport = (typeof transports)[number];

describe("the test camera", { timeout: 30_000 }, () => {
  it.each(transports)("plays to ffmpeg over %s", async (transport) => {
    await withServer({}, async (server) => {
      const { code, log } = await watch(server.url("/cam1"), transport);
      expect(log).toMatch(/frame= *10 /);
      expect(log).toContain("h264");
      expect(log).not.toMatch(/error|non-existing|missed/i);
      expect(code).toBe(0);
      expect(server.requests).toContain(`SETUP /cam1 200 ${transport}`);
      await vi.waitFor(() => expect(server.clients).toBe(0), WAIT);
    });
  });

  it.each(transports)("asks for Digest credentials over %s", async (transport) => {
    await withServer({ auth }, async (server) => {
      const right = await watch(server.url("/cam1", auth), transport);
      expect(right.log).toMatch(/frame= *10 /);
      expect(server.requests).toContain("DESCRIBE /cam1 401");
      expect(server.requests).toContain("DESCRIBE /cam1 200");

      const wrong = await watch(server.url("/cam1", { ...auth, password: "guess" }), transport);
      expect(wrong.code).not.toBe(0);
      expect(wrong.log).toContain("401 Unauthorized");
      expect((await watch(server.url("/cam1"), transport)).log).toContain("401 Unauthorized");

      server.setPassword("guess");
      expect((await watch(server.url("/cam1", auth), transport)).log).toContain("401 Unauthorized");
    });
  });

  it("answers 404 where no camera is and 403 when told to", async () => {
    await withServer({}, async (server) => {
      expect((await watch(server.url("/cam2"))).log).toContain("404 Not Found");
      server.refuse(403);
      expect((await watch(server.url("/cam1"))).log).toContain("403 Forbidden");
      server.refuse(undefined);
      expect((await watch(server.url("/cam1"))).code).toBe(0);
    });
  });

  it("has several paths, each for several clients", async () => {
    await withServer({ paths: { "/wide": { size: "320x180" }, "/tall": { size: "180x320" } } }, async (server) => {
      const logs = await Promise.all([
        watch(server.url("/wide"), "tcp"),
        watch(server.url("/wide"), "udp"),
        watch(server.url("/tall"), "tcp"),
      ]);
      expect(logs.map(({ log }) => /Video: h264.* (\d+x\d+)/.exec(log)?.[1])).toEqual([
        "320x180",
        "320x180",
        "180x320",
      ]);
      expect(logs.map(({ code }) => code)).toEqual([0, 0, 0]);
    });
  });

  it("comes back on the same port after it was switched off", async () => {
    await withServer({}, async (server) => {
      const url = server.url("/cam1");
      const endless = watch(url, "tcp", 1e6);
      await vi.waitFor(() => expect(server.clients).toBe(1), WAIT);
      await server.stop();
      await endless;
      expect((await watch(url)).log).toContain("Connection refused");
      await server.start();
      expect(server.url("/cam1")).toBe(url);
      expect((await watch(url)).code).toBe(0);
    });
  });

  it("cuts its clients", async () => {
    await withServer({}, async (server) => {
      const cut = watch(server.url("/cam1"), "tcp", 1e6);
      await vi.waitFor(() => expect(server.clients).toBe(1), WAIT);
      server.dropClients();
      await cut;
      expect(server.clients).toBe(0);
    });
  });

  it("falls silent with its connections open, and goes on", async () => {
    await withServer({}, async (server) => {
      await talk(server, async (ask, bytes) => {
        await ask("SETUP", "/cam1/trackID=0", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1");
        await ask("PLAY", "/cam1", `Session: ${sessionIn(bytes())}`);
        const playing = bytes().length;
        await vi.waitFor(() => expect(bytes().length).toBeGreaterThan(playing + 1000), WAIT);

        server.stall();
        await ask("GET_PARAMETER", "/cam1");
        const silent = bytes().length;
        await setTimeout(300);
        expect(bytes().length).toBe(silent);
        expect(server.clients).toBe(1);

        server.resume();
        await vi.waitFor(() => expect(bytes().length).toBeGreaterThan(silent + 1000), WAIT);
        await ask("TEARDOWN", "/cam1", `Session: ${sessionIn(bytes())}`);
        expect(server.clients).toBe(0);
      });
    });
  });

  it("says what it does not understand", async () => {
    await withServer({}, async (server) => {
      await talk(server, async (ask) => {
        expect(await ask("RECORD", "/cam1")).toContain("405 Method Not Allowed");
        expect(await ask("PLAY", "/cam1", "Session: nobody")).toContain("454 Session Not Found");
        expect(await ask("SETUP", "/cam1", "Transport: RTP/AVP;multicast")).toContain("461 Unsupported Transport");
        expect(await ask("GET /", "")).toContain("400 Bad Request");
      });
    });
  });

  it("fails when its file is not there", async () => {
    await expect(startRtspServer({ paths: { "/cam1": { file: "/nowhere.mp4" } } })).rejects.toThrow(/nowhere\.mp4/);
  });
});

async function withServer(options: RtspServerOptions, use: (server: RtspServer) => Promise<void>): Promise<void> {
  const server = await startRtspServer(options);
  try {
    await use(server);
  } finally {
    await server.close();
  }
}

/** A real ffmpeg that takes so many pictures; its exit code and what it wrote. */
async function watch(
  url: string,
  transport: Transport = "tcp",
  frames = 10,
): Promise<{ readonly code: number; readonly log: string }> {
  const options = ["-hide_banner", "-nostdin", "-rtsp_transport", transport, "-analyzeduration", "500000", "-i", url];
  const child = spawn((await findFfmpeg()).path, [...options, "-frames:v", String(frames), "-f", "null", "-"]);
  let log = "";
  child.stderr.on("data", (text: Buffer) => (log += text.toString()));
  const timer = globalThis.setTimeout(() => child.kill("SIGKILL"), WAIT.timeout);
  try {
    const [code] = (await once(child, "close")) as [number];
    return { code, log };
  } finally {
    clearTimeout(timer);
    child.kill("SIGKILL");
  }
}

type Ask = (method: string, path: string, ...headers: string[]) => Promise<string>;

/** A bare TCP client: asks, and counts all bytes that come. */
async function talk(server: RtspServer, use: (ask: Ask, bytes: () => Buffer) => Promise<void>): Promise<void> {
  const socket = createConnection(server.port, "127.0.0.1");
  let received = Buffer.alloc(0);
  socket.on("data", (piece) => (received = Buffer.concat([received, piece])));
  const ask: Ask = async (method, path, ...headers) => {
    const before = received.length;
    const answer = (): string => received.toString("latin1", before);
    socket.write([`${method} ${server.url(path)} RTSP/1.0`, "CSeq: 7", ...headers, "\r\n"].join("\r\n"));
    await vi.waitFor(() => expect(answer()).toMatch(/RTSP\/1\.0 \d+ .*\r\n\r\n/s), WAIT);
    return answer();
  };
  try {
    await use(ask, () => received);
  } finally {
    socket.destroy();
  }
}

function sessionIn(bytes: Buffer): string {
  return /Session: (\w+)/.exec(bytes.toString("latin1"))?.[1] ?? "";
}
