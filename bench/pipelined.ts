// How long do frame messages wait while a client without a token sends thousands of requests at once? Without them, and with them.
import { execFileSync, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";
import { findFfmpeg } from "../src/pipeline/find-ffmpeg.ts";
import type { ServerMessage } from "../src/server/protocol.ts";
import { benchVideo, median, printMachine } from "./harness.ts";
import type { PipelinedRequest } from "./pipelined-client.ts";
import { rssMb } from "./process-use.ts";

const ROUNDS = Number(process.argv[2] ?? 3);
/** Of the counts of requests. */
const SHARE = Number(process.argv[3] ?? 1);
const STREAMS = 4;
const FPS = 10;
const TOKEN = "a-token-of-the-bench";
const PHASES = [
  { name: "none", path: "", count: 0 },
  { name: "20,000 GET /openapi.json", path: "/openapi.json", count: 20_000 },
  { name: "20,000 answers of 401", path: "/v1/streams", count: 20_000 },
  { name: "40,000 GET /docs", path: "/docs", count: 40_000 },
];

const folder = mkdtempSync(join(tmpdir(), "multibox-bench-"));
const clip = join(folder, "clip.mp4");
const source = ["-t", "8", "-i", await benchVideo("vtest.avi")];
const encode = ["-an", "-vf", `scale=640:360,fps=${FPS}`, "-c:v", "libx264", "-preset", "veryfast", "-bf", "0"];
execFileSync((await findFfmpeg()).path, ["-nostdin", "-v", "error", "-y", ...source, ...encode, clip]);
const args = ["serve", "--port", "0", "--json", "--no-demo", "--log-level", "error", "--data-dir", folder];
const streams = Array.from({ length: STREAMS }, (_, i) => ["--stream", `s${i}=${clip}`]).flat();
const server = spawn(process.execPath, ["dist/cli.js", ...args, "--token", TOKEN, ...streams], {
  stdio: ["ignore", "pipe", "inherit"],
});
const client = fork(new URL("pipelined-client.js", import.meta.url));
try {
  printMachine();
  const [line] = (await once(createInterface(server.stdout), "line")) as [string];
  const { url, port, detections } = JSON.parse(line) as { url: string; port: number; detections: string };
  console.log(`${STREAMS} looped clips of 640 x 360 at ${FPS} frames/s, ${ROUNDS} rounds\n`);
  const headers = { authorization: `Bearer ${TOKEN}` };
  let last = performance.now();
  let longest = 0;
  let messages = 0;
  const socket = new WebSocket(detections, { headers });
  socket.on("open", () => socket.send(JSON.stringify({ id: 1, type: "subscribe", streams: ["*"] })));
  socket.on("message", (data: Buffer) => {
    if ((JSON.parse(data.toString()) as ServerMessage).type !== "detections") return;
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    messages += 1;
  });
  /** Milliseconds; the server forgets it when it is asked. */
  const loopDelay = async (): Promise<number> => {
    const text = await (await fetch(`${url}metrics`, { headers })).text();
    return 1000 * Number(/^nodejs_eventloop_lag_max_seconds (\S+)/m.exec(text)?.[1]);
  };
  await sleep(5000);
  const gaps = new Map(PHASES.map(({ name }) => [name, [] as number[]]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const { name, path, count } of PHASES) {
      await loopDelay();
      await sleep(500);
      [longest, messages, last] = [0, 0, performance.now()];
      let took = 5000;
      if (count === 0) await sleep(took);
      else {
        client.send({ port, path, count: Math.round(count * SHARE) } satisfies PipelinedRequest);
        took = ((await once(client, "message")) as [number])[0];
      }
      const gap = Math.max(longest, performance.now() - last);
      gaps.get(name)!.push(gap);
      const facts = [
        `longest gap ${gap.toFixed(0)} ms`,
        `${messages} messages in ${(took / 1000).toFixed(1)} s`,
        `longest delay of the event loop ${(await loopDelay()).toFixed(0)} ms`,
        `RSS ${rssMb(server.pid!).toFixed(0)} MB`,
      ];
      console.log(`round ${round + 1}, ${name}: ${facts.join(", ")}`);
    }
  }
  console.log("\nLongest gap between two frame messages, median of the rounds:");
  for (const [name, all] of gaps) console.log(`${name}: ${median(all).toFixed(0)} ms`);
  socket.terminate();
} finally {
  client.kill();
  server.kill();
  await once(server, "exit");
  rmSync(folder, { recursive: true, force: true });
}
