// A real WebSocket client that checks everything it is sent against the protocol.
import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { WebSocket, type ClientOptions } from "ws";
import { ServerMessage, type Detections, type Result } from "../../src/server/protocol.ts";

export class SocketClient {
  readonly socket: WebSocket;
  /** In the order they came; with the JPEG where there was one. */
  readonly messages: (ServerMessage & { jpeg?: Buffer })[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly #waiting = new Set<() => void>();
  #lastId = 0;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on("message", (data, isBinary) => {
      this.messages.push(read(data as Buffer, isBinary));
      for (const look of this.#waiting) look();
    });
    this.closed = new Promise((resolve) => {
      socket.on("close", (code, reason) => resolve({ code, reason: reason.toString() }));
    });
  }

  /** Connects; `refused` has the HTTP answer where the server does not want to. */
  static open(url: string, options: ClientOptions = {}): Promise<SocketClient> {
    const socket = new WebSocket(url, options);
    const client = new SocketClient(socket);
    return new Promise((resolve, reject) => {
      socket.once("open", () => resolve(client));
      socket.once("error", reject);
      socket.once("unexpected-response", (_request, response) => {
        response.setEncoding("utf8");
        let body = "";
        response.on("data", (chunk: string) => (body += chunk));
        response.on("end", () => reject(new Refused(response.statusCode ?? 0, body)));
      });
    });
  }

  /** The first message that fits, whether it came already or comes later. */
  until<T extends ServerMessage & { jpeg?: Buffer }>(
    fits: (message: ServerMessage & { jpeg?: Buffer }) => boolean,
  ): Promise<T> {
    return new Promise((resolve) => {
      const look = (): void => {
        const message = this.messages.find(fits);
        if (!message) return;
        this.#waiting.delete(look);
        resolve(message as T);
      };
      this.#waiting.add(look);
      look();
    });
  }

  /** Sends a request and waits for its result. */
  async ask(request: Record<string, unknown>): Promise<Result> {
    const id = (this.#lastId += 1);
    this.socket.send(JSON.stringify({ id, ...request }));
    return this.until((message) => message.type === "result" && message.id === id);
  }

  /** Sends whatever is given, and waits for the next result. */
  async sendRaw(data: string | Buffer): Promise<Result> {
    const before = this.messages.length;
    this.socket.send(data);
    return this.until((message) => message.type === "result" && this.messages.indexOf(message) >= before);
  }

  detections(stream?: string): (Detections & { jpeg?: Buffer })[] {
    return this.messages.filter(
      (message): message is Detections =>
        message.type === "detections" && (stream ?? message.stream) === message.stream,
    );
  }

  untilSeq(seq: number, stream?: string): Promise<Detections & { jpeg?: Buffer }> {
    return this.until((m) => m.type === "detections" && m.seq === seq && (stream ?? m.stream) === m.stream);
  }
}

/** The server answered the upgrade with something else. */
export class Refused extends Error {
  readonly status: number;
  readonly body: string;

  constructor(status: number, body: string) {
    super(`${status}: ${body}`);
    this.status = status;
    this.body = body;
  }
}

function read(data: Buffer, isBinary: boolean): ServerMessage & { jpeg?: Buffer } {
  if (!isBinary) return checked(data.toString());
  const end = 4 + data.readUInt32BE(0);
  return { ...checked(data.toString("utf8", 4, end)), jpeg: data.subarray(end) };
}

const published = new URL("../../docs/websocket.schema.json", import.meta.url);
const ajv = new Ajv2020().addSchema(JSON.parse(readFileSync(published, "utf8")) as object, "multibox");

/** By the server's own schema, and as a client in another language would, by the published one. */
function checked(json: string): ServerMessage {
  const message: unknown = JSON.parse(json);
  if (!ajv.validate("multibox#/$defs/ServerMessage", message)) throw new Error(`${ajv.errorsText()}: ${json}`);
  return ServerMessage.parse(message);
}
