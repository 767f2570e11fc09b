// A proxy for ffmpeg on this machine alone: it connects only to addresses that were checked, also for redirects and playlists.
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { connect, type AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { sentenceOf } from "../errors.ts";

export interface CheckingProxy {
  /** As ffmpeg's option `-http_proxy` takes it. */
  readonly url: string;
  /** Idempotent. Ends all connections. */
  close(): void;
}

const HOP_BY_HOP = ["proxy-connection", "proxy-authorization", "connection", "keep-alive", "te", "upgrade"];

/**
 * `check` gives the address to connect to, or fails. ffmpeg resolves names by itself, anew for each connection and for
 * whatever a redirect or playlist names, so checking a URL beforehand would say nothing of where it connects.
 */
export async function startCheckingProxy(check: (host: string) => Promise<string>): Promise<CheckingProxy> {
  const server = createServer((asked, answer) => void forward(asked, answer, check));
  const open = new Set<Duplex>();
  server.on("connection", (socket) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
  });
  server.on("connect", (asked: IncomingMessage, socket: Duplex, head: Buffer) => {
    // It is no longer HTTP's socket, so nobody else listens for its errors.
    socket.on("error", () => socket.destroy());
    void tunnel(asked, socket, head, check);
  });
  // Streams last for days.
  server.requestTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  server.unref();
  return { url: `http://127.0.0.1:${portOf(server)}`, close: () => close(server, open) };
}

/** https: ffmpeg speaks TLS with the server itself, through us. */
async function tunnel(
  asked: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  check: (host: string) => Promise<string>,
): Promise<void> {
  try {
    const { hostname, port } = new URL(`http://${asked.url}`);
    const remote = connect(Number(port || 80), await check(hostname));
    remote.on("error", () => socket.destroy());
    remote.on("close", () => socket.destroy());
    socket.on("close", () => remote.destroy());
    remote.on("connect", () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      remote.write(head);
      remote.pipe(socket).pipe(remote);
    });
  } catch {
    socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
  }
}

async function forward(
  asked: IncomingMessage,
  answer: ServerResponse,
  check: (host: string) => Promise<string>,
): Promise<void> {
  try {
    const whole = asked.url ?? "";
    const { hostname, port, host, protocol } = new URL(whole);
    if (protocol !== "http:") throw new Error("Only http is forwarded.");
    const address = await check(hostname);
    // As it was asked, and not as URL writes it.
    const path = whole.replace(/^http:\/\/[^/?#]*/i, "");
    const headers = Object.fromEntries(Object.entries(asked.headers).filter(([name]) => !HOP_BY_HOP.includes(name)));
    const sent = request({
      host: address,
      port: port || 80,
      method: asked.method ?? "GET",
      path: path.startsWith("/") ? path : `/${path}`,
      headers: { ...headers, host, connection: "close" },
    });
    sent.on("response", (got) => {
      answer.writeHead(got.statusCode ?? 502, got.headers);
      got.pipe(answer);
      got.on("error", () => answer.destroy());
    });
    sent.on("error", (error) => refuse(answer, 502, sentenceOf(error)));
    answer.on("close", () => sent.destroy());
    asked.pipe(sent);
  } catch (error) {
    refuse(answer, 403, sentenceOf(error));
  }
}

function refuse(answer: ServerResponse, status: number, sentence: string): void {
  if (answer.headersSent) return void answer.destroy();
  answer.writeHead(status, { "content-type": "text/plain" }).end(sentence);
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

function close(server: Server, open: ReadonlySet<Duplex>): void {
  server.close();
  for (const socket of open) socket.destroy();
}
