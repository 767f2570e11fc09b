// One WebSocket client of /v1/detections: its requests, its subscriptions, its outbox.
import type { SchedulerLike } from "rxjs";
import type { RawData, WebSocket } from "ws";
import { countOf } from "../../count.ts";
import { MultiboxError } from "../../errors.ts";
import type { SteadyClock } from "../../steady-scheduler.ts";
import { type Caller, requireAllStreams, requireScope, sees } from "../access/caller.ts";
import { Delivery } from "./delivery.ts";
import { createFilter, type FrameMessages } from "./frame-messages.ts";
import type { History } from "../history/history.ts";
import { Outbox, type OutboxOptions } from "./outbox.ts";
import { errorBody } from "../api/problem.ts";
import type {
  ClientMessage,
  Hello,
  JobEvent,
  Result,
  StreamEvent,
  Subscribe,
  Topic,
  TrainingEvent,
} from "../protocol.ts";
import { RequestLimit } from "./request-limit.ts";
import { UnfinishedMessage } from "./unfinished-message.ts";
import { idOf, parseRequest } from "./requests.ts";
import { REQUEST_SCOPES } from "../access/route-access.ts";
import { Subscriptions } from "./subscriptions.ts";

export interface ClientOptions extends Pick<OutboxOptions, "onSent" | "onDropped"> {
  /** Whose it is: streams that the caller does not see do not exist for this client. */
  readonly caller: Caller;
  readonly hello: Hello;
  /** Detections below this score are not sent, whatever is asked. */
  readonly minScore: number;
  /** Ids of the streams that there are for the caller. */
  readonly streams: () => readonly string[];
  readonly history: Pick<History, "read" | "first">;
  readonly clock: SchedulerLike;
  readonly steadyClock: SteadyClock;
  /** All bytes that have come over the connection. */
  readonly bytesRead: () => number;
  /** A request failed that should not have. */
  readonly onBug: (error: unknown) => void;
}

const MAX_MESSAGES = 64;
const MAX_BYTES = 8 * 1_048_576;
const FAREWELL_MS = 5000;
/** Bytes that wait to leave, beyond which pings are not answered. */
const MAX_PONGS = 65_536;

export class Client {
  readonly #socket: WebSocket;
  readonly #options: ClientOptions;
  readonly #outbox: Outbox;
  readonly #subscriptions = new Subscriptions();
  readonly #delivery: Delivery;
  readonly #topics = new Set<Topic>();
  /** Requests that came while one is being answered that must look into the history first. */
  readonly #requests: { bytes: Buffer; isBinary: boolean }[] = [];
  readonly #limit: RequestLimit;
  readonly #unfinished: UnfinishedMessage;
  #isAnswering = false;
  /** Something came, or something of ours was taken, since the last beat. */
  #isAlive = true;
  #isGivenUp = false;

  constructor(socket: WebSocket, options: ClientOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#limit = new RequestLimit(options.steadyClock);
    this.#outbox = new Outbox(socket, {
      maxMessages: MAX_MESSAGES,
      maxBytes: MAX_BYTES,
      onSent: (kind, bytes) => {
        this.#isAlive = true;
        options.onSent(kind, bytes);
      },
      onDropped: options.onDropped,
      onRoom: () => this.#delivery.onRoom(),
      onOverflow: () => this.#giveUp(),
    });
    this.#delivery = new Delivery(this.#outbox, options.history, this.#subscriptions);
    socket.on("message", (data, isBinary) => this.#onMessage(data, isBinary));
    this.#unfinished = new UnfinishedMessage(options.bytesRead);
    socket.on("ping", (data) => this.#onPing(data));
    socket.on("pong", (data) => {
      this.#isAlive = true;
      this.#unfinished.onControl(data.length);
    });
    socket.on("close", () => this.#delivery.close());
    // ws closes the connection with the fitting code by itself; without a listener the process would end.
    socket.on("error", () => undefined);
    this.#outbox.put(options.hello);
  }

  /** Messages that wait for it, without what its socket was handed already. */
  get waiting(): number {
    return this.#outbox.length;
  }

  onFrame(messages: FrameMessages): void {
    if (sees(this.#options.caller, messages.record.stream)) this.#delivery.onFrame(messages);
  }

  onStreamEvent(event: StreamEvent): void {
    if (!sees(this.#options.caller, event.stream)) return;
    this.#outbox.put(event);
    if (event.state === "removed") this.#forget(event.stream);
  }

  /** Of what waits to be sent of one job or training only the newest is. */
  onTopic(topic: Topic, event: JobEvent | TrainingEvent): void {
    if (this.#topics.has(topic)) this.#outbox.put(event, `${event.type} ${event.id}`);
  }

  /** Once a heartbeat: a client that has shown no life since the last one is gone, or takes nothing of what waits for it. */
  beat(): void {
    if (this.#unfinished.isStale()) this.close(1008, "A message was begun and not finished.");
    else if (this.#isAlive) {
      this.#isAlive = false;
      this.#socket.ping();
    } else if (this.#outbox.isBlocked) this.#giveUp();
    else this.#socket.terminate();
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  /** Nothing new comes, and what waits is still sent: then the connection is closed. */
  leave(code: number, reason: string): void {
    this.#delivery.close();
    this.#outbox.drained(() => this.close(code, reason));
  }

  /** It does not read: the farewell is there for when it does, but is not waited for. */
  #giveUp(): void {
    if (this.#isGivenUp) return;
    this.#isGivenUp = true;
    this.#delivery.close();
    this.#socket.close(1013, "You are too slow: messages pile up.");
    this.#options.clock.schedule(() => this.#socket.terminate(), FAREWELL_MS);
  }

  #onMessage(data: RawData, isBinary: boolean): void {
    // One that was sent away may go on talking.
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    this.#isAlive = true;
    this.#unfinished.onMessage();
    this.#requests.push({ bytes: data as Buffer, isBinary });
    if (!this.#isAnswering) this.#answerAll();
  }

  /** Only one that reads is answered: RFC 6455, section 5.5.3, lets a server answer the newest of several alone. */
  #onPing(data: Buffer): void {
    this.#isAlive = true;
    this.#unfinished.onControl(data.length);
    if (this.#socket.readyState === this.#socket.OPEN && this.#socket.bufferedAmount < MAX_PONGS)
      this.#socket.pong(data);
  }

  /** In order; those that come while one waits for the history wait too, and no more of them are read meanwhile. */
  #answerAll(): void {
    for (let next = this.#requests.shift(); next; next = this.#requests.shift()) {
      this.#answer(next.bytes, next.isBinary);
      if (!this.#isAnswering) continue;
      this.#socket.pause();
      return;
    }
  }

  #answer(bytes: Buffer, isBinary: boolean): void {
    let id: Result["id"] = null;
    try {
      const { error, isHopeless } = this.#limit.take();
      if (isHopeless) this.close(1008, "You send too many requests.");
      if (error) throw error;
      const request = parseRequest(bytes, isBinary);
      id = request.id;
      const replays = this.#obey(request);
      if (replays.size > 0) this.#announce(id, replays);
      else this.#outbox.put({ id, type: "result", ok: true } satisfies Result);
    } catch (error) {
      if (!(error instanceof MultiboxError)) this.#options.onBug(error);
      const result: Result = { id: id ?? idOf(bytes), type: "result", ok: false, error: errorBody(error) };
      this.#outbox.put(result);
    }
  }

  /** Says where the replays begin, and begins them. */
  #announce(id: Result["id"], replays: ReadonlyMap<string, number>): void {
    this.#isAnswering = true;
    const replay: Record<string, number> = {};
    let open = replays.size;
    const done = (): void => {
      this.#isAnswering = false;
      this.#outbox.put({ id, type: "result", ok: true, replay } satisfies Result);
      this.#delivery.begin();
      this.#socket.resume();
      this.#answerAll();
    };
    for (const [stream, after] of replays) {
      this.#options.history.first(stream, after, (seq) => {
        if (seq !== undefined) replay[stream] = seq;
        open -= 1;
        if (open === 0) done();
      });
    }
  }

  /** Fails with the reason why not. Gives the streams to replay, each from after that frame. */
  #obey(request: ClientMessage): ReadonlyMap<string, number> {
    requireScope(this.#options.caller, REQUEST_SCOPES[request.type]);
    if (request.type === "subscribe") return this.#subscribe(request);
    if (request.type === "watch") {
      requireAllStreams(this.#options.caller);
      for (const topic of request.topics) this.#topics.add(topic);
    }
    if (request.type === "unwatch") for (const topic of request.topics ?? this.#topics) this.#topics.delete(topic);
    if (request.type === "unsubscribe") {
      this.#subscriptions.delete(request.streams);
      for (const stream of this.#options.streams()) if (!this.#subscriptions.of(stream)) this.#delivery.forget(stream);
    }
    return NOTHING;
  }

  #subscribe(request: Subscribe): ReadonlyMap<string, number> {
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
    const since = sinceOf(request);
    const { pictures, maxFps, changesOnly = false, newestOnly = false } = request;
    const filter = createFilter(request.labels, Math.max(this.#options.minScore, request.minScore ?? 0));
    const subscribed = { filter, pictures, maxFps, changesOnly, newestOnly, since: new Map(since) };
    this.#subscriptions.set(request.streams, subscribed);
    const replays = new Map([...since].filter(([stream]) => streams.includes(stream)));
    for (const stream of replays.keys()) this.#delivery.hold(stream);
    return replays;
  }

  #forget(stream: string): void {
    this.#subscriptions.forget(stream);
    this.#delivery.forget(stream);
  }
}

const NOTHING: ReadonlyMap<string, number> = new Map();

/** By stream. Fails with BAD_MESSAGE. */
function sinceOf({ since, streams }: Subscribe): ReadonlyMap<string, number> {
  if (since === undefined) return NOTHING;
  const [only] = streams;
  if (typeof since === "number") {
    if (only !== undefined && only !== "*" && streams.length === 1) return new Map([[only, since]]);
    const hint = 'Give one by stream: {"cam1": 123}.';
    throw new MultiboxError("BAD_MESSAGE", `"since" cannot be one number for several streams.`, hint);
  }
  const other = Object.keys(since).find((stream) => !streams.includes("*") && !streams.includes(stream));
  if (other === undefined) return new Map(Object.entries(since));
  const sentence = `"since" names the stream "${other}", which is not subscribed to.`;
  throw new MultiboxError("BAD_MESSAGE", sentence, "Name it in streams too.");
}

/** A label that the model does not have would silently match nothing. Fails with LABEL_UNKNOWN. */
export function checkLabels(labels: readonly string[] | undefined, known: readonly string[]): void {
  const unknown = labels?.find((label) => !known.includes(label));
  if (unknown === undefined) return;
  const some = known.slice(0, 12).join(", ") + (known.length > 12 ? ", ..." : "");
  throw new MultiboxError(
    "LABEL_UNKNOWN",
    `The model has no label ${JSON.stringify(unknown)}.`,
    `It has ${countOf(known.length, "label")}: ${some}`,
  );
}
