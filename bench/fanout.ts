// How soon do a thousand clients have what eight streams say, and does one that never reads cost the others anything?
import { fork } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { pino } from "pino";
import { asyncScheduler, Subject } from "rxjs";
import { WebSocketServer } from "ws";
import type { Detection } from "../src/model/detection.ts";
import type { Detected } from "../src/pipeline/frame.ts";
import { ANYONE } from "../src/server/access/caller.ts";
import { History } from "../src/server/history/history.ts";
import { Hub, type HubOptions } from "../src/server/socket/hub.ts";
import type { ClientsReport, ClientsRequest } from "./fanout-clients.ts";
import { median, printMachine } from "./harness.ts";

const CLIENTS = Number(process.argv[2] ?? 1000);
/** Of each stream, a second. */
const FPS = Number(process.argv[3] ?? 2);
const STREAMS = 8;
const ROUNDS = 5;
const ROUND_MS = 6000;

const detections: Detection[] = Array.from({ length: 5 }, (_, i) => ({
  label: "person",
  classId: 1,
  score: 0.91 - i / 10,
  bbox: [100.25 * i, 200.5, 64.75, 128.125],
}));
const detected = new Subject<Detected>();
let missed = 0;
const history = new History({ logger: pino({ level: "silent" }) });
// The hub as it is in the server; what detects is played, because the question is what happens after it.
const hub = new Hub({
  pipeline: { detected, statuses: new Subject(), removed: new Subject(), list: () => [] },
  detector: { info: { model: { name: "bench", version: "1" }, labels: ["person"] } },
  pictures: undefined,
  metrics: { setClients: () => undefined, messageSent: () => undefined, messageDropped: () => (missed += 1) },
  access: { lease: () => () => undefined },
  history,
  config: { minScore: 0.3 },
  logger: pino({ level: "silent" }),
  version: "bench",
  clock: asyncScheduler,
} as unknown as HubOptions);
const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
const server = createServer();
server.on("upgrade", (request, socket, head) => {
  sockets.handleUpgrade(request, socket, head, (webSocket) => hub.accept(webSocket, ANYONE, request.socket));
});
await once(server.listen(0, "127.0.0.1"), "listening");
const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/v1/detections`;

const clients = fork(new URL("fanout-clients.js", import.meta.url), [url, String(CLIENTS)]);
const ask = async <T>(request: ClientsRequest): Promise<T> => {
  clients.send(request);
  return ((await once(clients, "message")) as [T])[0];
};

/** A stream that only the client which never reads has asked for, so much that no buffer of the system takes it all. */
const FLOOD = "flood";
const FLOOD_FPS = 100;
const crowd = Array.from({ length: 40 }, () => detections).flat();

/** The streams take turns, so that frames come evenly. */
let frame = 0;
const playing = setInterval(
  () => {
    show(`cam${frame % STREAMS}`, Math.floor(frame / STREAMS), detections);
    frame += 1;
  },
  1000 / (FPS * STREAMS),
);
let flooded = 0;
const flooding = setInterval(() => show(FLOOD, flooded++, crowd), 1000 / FLOOD_FPS);

function show(stream: string, seq: number, found: readonly Detection[]): void {
  const pts = (performance.timeOrigin + performance.now()) / 1000;
  detected.next({
    frame: { stream, pts, time: Date.now(), picture: { width: 1280, height: 720 } },
    seq,
    detections: found,
    model: { name: "bench", version: "1" },
    timing: { queueMs: 1.25, inferMs: 12.5, totalMs: 14.75 },
  } as unknown as Detected);
}

async function round(name: string): Promise<ClientsReport> {
  await ask("begin");
  const cpu = process.cpuUsage();
  await sleep(ROUND_MS);
  const report = await ask<ClientsReport>("report");
  const { user, system } = process.cpuUsage(cpu);
  const cells = [
    `${Math.round(report.messages / (ROUND_MS / 1000))} messages/s`,
    `p50 ${report.p50.toFixed(1)} ms`,
    `p99 ${report.p99.toFixed(1)} ms`,
    `longest ${report.max.toFixed(1)} ms`,
    `${report.dropped} dropped`,
    `server ${((user + system) / 1000 / ROUND_MS).toFixed(2)} cores, ${(process.memoryUsage.rss() / 1_048_576).toFixed(0)} MB`,
    `clients ${report.rssMb.toFixed(0)} MB`,
  ];
  console.log(`${name.padEnd(20)}${cells.join(", ")}`);
  return report;
}

try {
  printMachine();
  console.log(`${CLIENTS} clients of ${STREAMS} streams at ${FPS} frames/s, five detections a frame\n`);
  await ask("connect");
  await sleep(2000);
  await round("warming up");
  const ratios: number[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    const without = await round("all read");
    await ask("hold one");
    const held = await round("one more never reads");
    ratios.push(held.p99 / without.p99);
    await ask("drop it");
  }
  console.log(
    `\np99 beside one that never reads: ${median(ratios).toFixed(2)} of that without, medians of ${ROUNDS} rounds`,
  );
  console.log(`messages that were dropped for those that did not read: ${missed}`);
} finally {
  clearInterval(playing);
  clearInterval(flooding);
  hub.close();
  clients.kill();
  server.close();
  server.closeAllConnections();
}
