// The clients of bench/fanout.ts, in a process of their own: they read, or do not, and time what they get.
import { once } from "node:events";
import { WebSocket } from "ws";

/** What the bench asks of this process; it answers each with one message. */
export type ClientsRequest = "connect" | "begin" | "report" | "hold one" | "drop it";

export interface ClientsReport {
  readonly messages: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** That the clients were told of. */
  readonly dropped: number;
  readonly rssMb: number;
}

const [url, count] = [process.argv[2]!, Number(process.argv[3])];
const now = (): number => performance.timeOrigin + performance.now();
/** A million latencies at most: what comes beyond them is counted, not timed. */
const latencies = new Float64Array(1_000_000);
let messages = 0;
let dropped = 0;
const clients: WebSocket[] = [];
/** Its messages are in no figure. */
let held: WebSocket | undefined;

process.on("message", (request: ClientsRequest) => {
  void answer(request).then((reply) => process.send!(reply ?? "done"));
});

async function answer(request: ClientsRequest): Promise<ClientsReport | string | undefined> {
  switch (request) {
    case "connect":
      for (let i = 0; i < count; i++) clients.push(await connect());
      return undefined;
    case "begin":
      [messages, dropped] = [0, 0];
      return undefined;
    case "report":
      return report();
    case "hold one":
      held = await connect(true);
      held.pause();
      return undefined;
    case "drop it":
      held?.terminate();
      held = undefined;
      return undefined;
  }
}

async function connect(isFlooded = false): Promise<WebSocket> {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  socket.on("message", (data: Buffer) => {
    const received = now();
    if (socket === held) return;
    // The stream's time is the clock of this machine when the frame was handed over.
    const sent = Number(/"pts":([\d.]+)/.exec(data.toString("latin1", 0, 200))?.[1]) * 1000;
    if (!(sent > 0)) return;
    if (messages < latencies.length) latencies[messages] = received - sent;
    messages += 1;
    dropped += Number(/"dropped":(\d+)/.exec(data.toString("latin1", data.length - 20))?.[1] ?? 0);
  });
  await once(socket, "open");
  socket.send(JSON.stringify({ id: 1, type: "subscribe", streams: ["*"] }));
  if (!isFlooded) socket.send(JSON.stringify({ id: 2, type: "unsubscribe", streams: ["flood"] }));
  return socket;
}

function report(): ClientsReport {
  const sorted = latencies.slice(0, Math.min(messages, latencies.length)).sort();
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  const rssMb = process.memoryUsage.rss() / 1_048_576;
  return { messages, p50: at(0.5), p99: at(0.99), max: at(1), dropped, rssMb };
}
