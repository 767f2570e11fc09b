// The real program at the limit of what the system lets it open: connections never take what ffmpeg and files need.
import { readdirSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import type { StreamInfo } from "../../src/server/protocol.ts";
import { demoClip } from "../../src/demo-clip.ts";
import { testCacheDir } from "../support/model.ts";
import { startMultibox } from "../support/multibox.ts";
import { SocketClient } from "../support/socket-client.ts";

const TOKEN = "a-token-of-24-characters";
const headers = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" };

test.skipIf(process.platform !== "linux")(
  "with 256 descriptors and 400 idle connections without a token, a client with one gets in, and streams start",
  async () => {
    const camera = "dead=rtsp://127.0.0.1:9/x";
    const args = ["--token", TOKEN, "--stream", camera, "--stream", `demo=${await demoClip(testCacheDir())}`];
    const server = await startMultibox(args, {}, ["prlimit", "--nofile=256"]);
    const idle: Socket[] = [];
    try {
      const look = async (id: string): Promise<StreamInfo> =>
        (await (await server.ask(`/v1/streams/${id}`, { headers })).json()) as StreamInfo;
      for (let i = 0; i < 400; i++) idle.push(connect(server.ready.port, "127.0.0.1").on("error", () => undefined));
      await expect
        .poll(() => idle.filter(({ destroyed }) => destroyed).length, { timeout: 60_000 })
        .toBeGreaterThan(250);
      expect(readdirSync(`/proc/${server.pid}/fd`).length).toBeLessThan(240);
      const client = await SocketClient.open(server.ready.detections, { headers });
      await client.ask({ type: "subscribe", streams: ["demo"] });
      // A new ffmpeg for the stream that runs, and one again and again for the one that does not.
      expect((await server.ask("/v1/streams/demo", { method: "PATCH", headers, body: '{"maxFps":4}' })).status).toBe(
        200,
      );
      const { counts } = await look("demo");
      while ((await look("demo")).counts.detected < counts.detected + 10) await sleep(100);
      expect(client.detections("demo").length).toBeGreaterThan(0);
      expect(["retrying", "connecting"]).toContain((await look("dead")).state);
      expect((await look("dead")).error?.message ?? "").not.toMatch(/EMFILE|EAGAIN|spawn/);
      client.socket.terminate();
    } finally {
      for (const socket of idle) socket.destroy();
      expect((await server.stop()).code).toBe(0);
    }
    expect(server.stderr).toMatch(/the limit on open files leaves room for 128 connections/);
  },
);
