// One WebSocket client of /v1/detections: its requests, its subscriptions, its outbox.
import type { RawData, WebSocket } from "ws";
import { MultiboxError } from "../errors.ts";
import { type Caller, requireScope, sees } from "./caller.ts";
import { createFilter, type FrameMessages } from "./frame-messages.ts";
import { Outbox, type OutboxOptions } from "./outbox.ts";
import { errorBody } from "./problem.ts";
import type { ClientMessage, Hello, Result, StreamEvent } from "./protocol.ts";
import { idOf, parseRequest } from "./requests.ts";
import { REQUEST_SCOPES } from "./route-access.ts";
import { Subscriptions } from "./subscriptions.ts";

export interface ClientOptions extends Pick<OutboxOptions, "onSent" | "onDropped"> {
  /** Whose it is: streams that the caller does not see do not exist for this client. */
  readonly caller: Caller;
  readonly hello: Hello;
  /** Detections below this score are not sent, whatever is asked. */
  readonly minScore: number;
  /** Ids of the streams that there are for the caller. */
  readonly streams: () => readonly string[];
  /** A request failed that should not have. */
  readonly onBug: (error: unknown) => void;
}

const MAX_MESSAGES = 64;
const MAX_BYTES = 8 * 1_048_576;

export class Client {
  readonly #socket: WebSocket;
  readonly #options: ClientOptions;
  readonly #outbox: Outbox;
  readonly #subscriptions = new Subscriptions();
  /** Something came, or something of ours was taken, since the last beat. */
  #isAlive = true;

  constructor(socket: WebSocket, options: ClientOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#outbox = new Outbox(socket, {
      maxMessages: MAX_MESSAGES,
      maxBytes: MAX_BYTES,
      onSent: (kind, bytes) => {
        this.#isAlive = true;
        options.onSent(kind, bytes);
      },
      onDropped: options.onDropped,
      // It does not read, so a farewell would not arrive either.
      onOverflow: () => socket.terminate(),
    });
    socket.on("message", (data, isBinary) => this.#onMessage(data, isBinary));
    socket.on("pong", () => (this.#isAlive = true));
    // ws closes the connection with the fitting code by itself; without a listener the process would end.
    socket.on("error", () => undefined);
    this.#outbox.put(options.hello);
  }

  onFrame(messages: FrameMessages): void {
    const { stream } = messages.detected.frame;
    if (!sees(this.#options.caller, stream)) return;
    const wanted = this.#subscriptions.of(stream);
    if (!wanted) return;
    if (wanted.pictures === undefined) {
      this.#outbox.offer(stream, messages.text(wanted.filter), this.#outbox.takeSkipped(stream));
      return;
    }
    const picture = messages.picture(wanted.pictures);
    if (!picture) {
      this.#outbox.skip(stream);
      return;
    }
    const missedBefore = this.#outbox.takeSkipped(stream);
    picture.then(
      (jpeg) => {
        // Frames of a newer subscription may have gone out meanwhile, and this one must not come after them.
        if (this.#subscriptions.of(stream) !== wanted) this.#skip(stream, missedBefore);
        else this.#outbox.offer(stream, messages.withPicture(wanted.filter, jpeg), missedBefore);
      },
      () => this.#skip(stream, missedBefore),
    );
  }

  onStreamEvent(event: StreamEvent): void {
    if (!sees(this.#options.caller, event.stream)) return;
    this.#outbox.put(event);
    if (event.state === "removed") this.#forget(event.stream);
  }

  /** Once a heartbeat: a client that has shown no life since the last one is gone. */
  beat(): void {
    if (!this.#isAlive) {
      this.#socket.terminate();
      return;
    }
    this.#isAlive = false;
    this.#socket.ping();
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  #onMessage(data: RawData, isBinary: boolean): void {
    this.#isAlive = true;
    const bytes = data as Buffer;
    let id: Result["id"] = null;
    try {
      const request = parseRequest(bytes, isBinary);
      id = request.id;
      this.#obey(request);
      this.#outbox.put({ id, type: "result", ok: true } satisfies Result);
    } catch (error) {
      if (!(error instanceof MultiboxError)) this.#options.onBug(error);
      const result: Result = { id: id ?? idOf(bytes), type: "result", ok: false, error: errorBody(error) };
      this.#outbox.put(result);
    }
  }

  #obey(request: ClientMessage): void {
    requireScope(this.#options.caller, REQUEST_SCOPES[request.type]);
    if (request.type === "unsubscribe") {
      this.#subscriptions.delete(request.streams);
      for (const stream of this.#options.streams()) if (!this.#subscriptions.of(stream)) this.#outbox.forget(stream);
      return;
    }
    const streams = this.#options.streams();
    const unknown = request.streams.find((stream) => stream !== "*" && !streams.includes(stream));
    if (unknown !== undefined) {
      const known = streams.length > 0 ? `There are: ${streams.join(", ")}.` : "There is none yet.";
      throw new MultiboxError(
        "STREAM_UNKNOWN",
        `There is no stream "${unknown}".`,
        `${known} "*" means all, now and later.`,
      );
    }
    checkLabels(request.labels, this.#options.hello.labels);
    const minScore = Math.max(this.#options.minScore, request.minScore ?? 0);
    const filter = createFilter(request.labels, minScore);
    this.#subscriptions.set(request.streams, { filter, pictures: request.pictures });
  }

  #skip(stream: string, missedBefore: number): void {
    if (this.#subscriptions.of(stream)) this.#outbox.skip(stream, missedBefore);
  }

  #forget(stream: string): void {
    this.#subscriptions.forget(stream);
    this.#outbox.forget(stream);
  }
}

/** A label that the model does not have would silently match nothing. Fails with LABEL_UNKNOWN. */
export function checkLabels(labels: readonly string[] | undefined, known: readonly string[]): void {
  const unknown = labels?.find((label) => !known.includes(label));
  if (unknown === undefined) return;
  const some = known.slice(0, 12).join(", ") + (known.length > 12 ? ", ..." : "");
  throw new MultiboxError(
    "LABEL_UNKNOWN",
    `The model has no label ${JSON.stringify(unknown)}.`,
    `It has ${known.length}: ${some}`,
  );
}
