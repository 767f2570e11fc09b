// Prints what multibox detects, a line a frame, and misses nothing over a lost connection: `npx tsx examples/resuming-client.ts [url]`.
import { fileURLToPath } from "node:url";
import { WebSocket } from "ws";
import type { ErrorBody } from "../src/server/api/error-body.ts";
import type { Detections, Result, ServerMessage, StreamEvent, Subscribe } from "../src/server/protocol.ts";

/** What to ask for; `since` is this client's own business. */
type Wanted = Omit<Subscribe, "id" | "type" | "since" | "pictures">;

export interface ClientEvents {
  readonly onFrame: (frame: Detections) => void;
  readonly onStream?: (event: StreamEvent) => void;
  /** A request was refused, or the connection could not be made. */
  readonly onError?: (error: Pick<ErrorBody, "message">) => void;
}

export interface ClientOptions {
  readonly url: string;
  readonly token?: string | undefined;
  readonly wanted: Wanted;
  /** The wait before the first further attempt; it doubles up to half a minute. */
  readonly firstRetryMs?: number;
}

/** Connects until it is closed. After a break it asks for what came after the last frame of each stream that it has seen. */
export class ResumingClient {
  /** The last `seq` of each stream; kept over a restart of the program, it can be given to the next one. */
  readonly since = new Map<string, number>();
  readonly #options: ClientOptions;
  readonly #events: ClientEvents;
  #socket: WebSocket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #attempt = 0;
  #isClosed = false;

  constructor(options: ClientOptions, events: ClientEvents) {
    this.#options = options;
    this.#events = events;
    this.#connect();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#socket?.close();
  }

  #connect(): void {
    const { url, token } = this.#options;
    const socket = new WebSocket(url, { headers: token ? { authorization: `Bearer ${token}` } : {} });
    this.#socket = socket;
    socket.on("message", (data: Buffer) => this.#onMessage(JSON.parse(data.toString()) as ServerMessage));
    socket.on("error", (error) => this.#events.onError?.(error));
    socket.on("close", () => {
      if (!this.#isClosed) this.#timer = setTimeout(() => this.#connect(), this.#retryMs());
    });
  }

  #onMessage(message: ServerMessage): void {
    switch (message.type) {
      case "hello": {
        this.#attempt = 0;
        const since = Object.fromEntries(this.since);
        this.#socket?.send(
          JSON.stringify({ id: 1, type: "subscribe", ...this.#options.wanted, since } satisfies Subscribe),
        );
        break;
      }
      case "result":
        this.#onResult(message);
        break;
      case "stream":
        this.#events.onStream?.(message);
        break;
      case "detections":
        this.since.set(message.stream, message.seq);
        this.#events.onFrame(message);
        break;
    }
  }

  #onResult({ error, replay = {} }: Result): void {
    if (error) this.#events.onError?.(error);
    for (const [stream, seq] of Object.entries(replay)) {
      const missing = seq - (this.since.get(stream) ?? seq) - 1;
      if (missing > 0) this.#events.onError?.({ message: `${missing} frames of ${stream} are no longer there.` });
    }
  }

  /** Half of it is left to chance, so that many clients do not come back at once. */
  #retryMs(): number {
    const { firstRetryMs = 500 } = this.#options;
    return Math.min(30_000, firstRetryMs * 2 ** this.#attempt++) * (1 - Math.random() / 2);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [url = "ws://127.0.0.1:8080/v1/detections"] = process.argv.slice(2);
  const options = { url, token: process.env["MULTIBOX_TOKEN"], wanted: { streams: ["*"], minScore: 0.5 } };
  const client = new ResumingClient(options, {
    onFrame: ({ stream, seq, detections, dropped }) => {
      const found = detections.map(({ label, score }) => `${label} ${score.toFixed(2)}`);
      console.log(stream, seq, dropped > 0 ? `(${dropped} missed)` : "", found.join(", ") || "-");
    },
    onStream: ({ stream, state }) => console.error(`${stream} is ${state}`),
    onError: ({ message }) => console.error(message),
  });
  process.once("SIGINT", () => client.close());
}
