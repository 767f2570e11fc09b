// Which requests become a WebSocket. RFC 9110, section 7.8: an Upgrade that is not understood is ignored, and the request is answered.
import type { IncomingMessage, Server } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { WebSocketServer } from "ws";
import { MultiboxError } from "../errors.ts";
import type { Asked } from "./access/access.ts";
import { requireScope } from "./access/caller.ts";
import { checkSource, type SourceRules } from "./access/source-check.ts";
import { problemResponse } from "./api/problem.ts";
import { writeResponse } from "./api/raw-response.ts";
import type { MultiboxApp } from "./app.ts";
import type { Connections } from "./connections.ts";
import type { RequestTurns } from "./request-turns.ts";

export interface UpgradeDeps {
  readonly app: Pick<MultiboxApp, "access" | "hub">;
  readonly sockets: WebSocketServer;
  readonly config: Omit<SourceRules, "isOpen">;
  readonly connections: Connections;
  readonly turns: RequestTurns;
}

const PATH = "/v1/detections";

/** Node hands every request with an Upgrade over, and has ended HTTP on its connection by then. */
export function acceptUpgrades(server: Server, deps: UpgradeDeps): void {
  // Without this ws answers by itself, in HTML.
  deps.sockets.on("wsClientError", ({ message }, socket) => {
    const error = new MultiboxError(
      "BAD_REQUEST",
      `The WebSocket handshake is invalid: ${message}.`,
      "Use a WebSocket client.",
    );
    void writeResponse(socket, problemResponse(error));
  });
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // Without a listener a connection that breaks meanwhile would end the process.
    const ignore = (): void => undefined;
    socket.on("error", ignore);
    deps.turns.whenIdle(request.socket, () => {
      socket.off("error", ignore);
      if (hasBodyApart(request)) void writeResponse(socket, problemResponse(bodyApart()), request.method);
      else if (isWebSocket(request)) void accept(request, socket, head, deps);
      else answerWithout(server, request, socket, head);
    });
  });
}

function isWebSocket({ method, url = "/", headers: { upgrade = "" } }: IncomingMessage): boolean {
  const protocols = upgrade.split(",").map((protocol) => protocol.trim().toLowerCase());
  return method === "GET" && url.split("?", 1)[0] === PATH && protocols.includes("websocket");
}

/**
 * Node.js 26 reads the body of a request with an Upgrade apart from what comes behind it, so that it cannot be served again, and without reading
 * it nothing that comes behind it is ever seen.
 */
function hasBodyApart({ headers }: IncomingMessage): boolean {
  const hasBody = headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) !== 0;
  return hasBody && Number.parseInt(process.versions.node, 10) >= 26;
}

function bodyApart(): MultiboxError {
  const sentence = "A request with a body cannot ask for an Upgrade where the server runs on Node.js 26.";
  return new MultiboxError("BAD_REQUEST", sentence, "Send it without the header Upgrade.");
}

/** Serves the request again without its Upgrade: `socket` and `head` have its body, and the requests behind it. */
function answerWithout(server: Server, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const { method = "GET", url = "/", httpVersion, rawHeaders } = request;
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    if (rawHeaders[i]!.toLowerCase() !== "upgrade") lines.push(`${rawHeaders[i]}: ${rawHeaders[i + 1]}`);
  }
  // Node reads the bytes of headers as Latin-1.
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), head]));
  server.emit("connection", socket);
}

async function accept(request: IncomingMessage, socket: Duplex, head: Buffer, deps: UpgradeDeps): Promise<void> {
  const { app, sockets, config, connections } = deps;
  const ignore = (): void => undefined;
  socket.on("error", ignore);
  try {
    const asked = askedBy(request, new URLSearchParams(request.url?.split("?").slice(1).join("?")));
    await app.access.refresh();
    checkSource({ ...config, isOpen: app.access.isOpen }, asked);
    const caller = app.access.identify(asked);
    requireScope(caller, "read");
    connections.trust(socket as Socket);
    // Others may stand beside it.
    request.headers.upgrade = "websocket";
    socket.off("error", ignore);
    sockets.handleUpgrade(request, socket, head, (webSocket) => app.hub.accept(webSocket, caller, socket as Socket));
  } catch (error) {
    void writeResponse(socket, problemResponse(error));
  }
}

function askedBy({ headers, socket }: IncomingMessage, query: URLSearchParams): Asked {
  return {
    method: "GET",
    upgrade: true,
    host: headers.host,
    origin: headers.origin,
    authorization: headers.authorization,
    protocols: headers["sec-websocket-protocol"],
    queryToken: query.get("token") ?? undefined,
    queryTicket: query.get("ticket") ?? undefined,
    remote: socket.remoteAddress,
    forwarded: [headers["x-forwarded-for"]].flat().join(","),
  };
}
