// Does the server's memory stay flat? Four looped streams and two clients for some minutes; the memory of minute 1 beside the last.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";
import { benchVideo, printMachine } from "./harness.ts";
import { rssMb } from "./process-use.ts";

const MINUTES = Number(process.argv[2] ?? 5);
const VIDEOS = ["vtest.avi", "intel-car-detection.mp4", "mmdetection-demo.mp4", "roboflow-example_video.mp4"];

const streams = await Promise.all(VIDEOS.map(async (name, i) => ["--stream", `s${i}=${await benchVideo(name)}`]));
const args = ["dist/cli.js", "serve", "--port", "0", "--json", "--log-level", "warn", ...streams.flat()];
const dataDir = mkdtempSync(join(tmpdir(), "multibox-data-"));
args.push("--data-dir", dataDir);
const server = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
try {
  const [line] = (await once(createInterface(server.stdout), "line")) as [string];
  const { detections, url } = JSON.parse(line) as { detections: string; url: string };
  printMachine();
  console.log(`4 looped streams, one client with detections and one with pictures, ${MINUTES} minutes\n`);
  for (const pictures of [undefined, 640]) {
    const socket = new WebSocket(detections);
    socket.on("message", () => undefined);
    await once(socket, "open");
    socket.send(JSON.stringify({ id: 1, type: "subscribe", streams: ["*"], ...(pictures && { pictures }) }));
  }
  let first = 0;
  let last = 0;
  for (let minute = 1; minute <= MINUTES; minute++) {
    await sleep(60_000);
    last = rssMb(server.pid!);
    first ||= last;
    console.log(`minute ${minute}: ${last.toFixed(1)} MB, ${(last / first).toFixed(3)} of minute 1`);
  }
  const books = (await (await fetch(`${url}v1/streams`)).json()) as { id: string; counts: unknown }[];
  for (const { id, counts } of books) console.log(id, JSON.stringify(counts));
} finally {
  server.kill();
  await once(server, "exit");
  rmSync(dataDir, { recursive: true });
}
