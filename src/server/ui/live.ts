// The page's state: what the server said, what the user chose, and the subscription that follows from both.
import { type Api, ApiError } from "./api.ts";
import type { Connection, ConnectionEvents, Phase } from "./connection.ts";
import type { Filter } from "./filter.ts";
import { Player, type PlayerTools } from "./player.ts";
import { Store } from "./store.ts";
import { applyEvent, type StreamView } from "./streams.ts";
import { requestsFor, subscriptionFor } from "./subscription.ts";
import { PROTOCOL, type PictureMessage } from "./wire.ts";
import type { Hello, JobEvent, NewStream, ServerMessage, StreamPatch, TrainingEvent } from "../protocol.ts";

export interface LiveState {
  readonly phase: Phase;
  /** Undefined until the first hello. */
  readonly hello: Pick<Hello, "server" | "model" | "labels" | "scope"> | undefined;
  readonly streams: readonly StreamView[];
  /** A sentence about something that went wrong; empty while all is well. */
  readonly notice: string;
  readonly needsToken: boolean;
  /** The pictures stand still, on this page alone. */
  readonly frozen: boolean;
  readonly filter: Filter;
}

export interface LiveTools<Bitmap> {
  readonly api: Api;
  readonly connect: (events: ConnectionEvents) => Connection;
  readonly player: PlayerTools<Bitmap>;
  readonly filter: Filter;
}

/** What is told of each topic that can be watched. */
interface Topics {
  readonly jobs: JobEvent;
  readonly trainings: TrainingEvent;
}
type Watchers = { [T in keyof Topics]?: ((event: Topics[T]) => void) | undefined };

export class Live<Bitmap extends { close(): void }> {
  readonly state: Store<LiveState>;
  readonly #tools: LiveTools<Bitmap>;
  readonly #connection: Connection;
  readonly #players = new Map<string, Player<Bitmap>>();
  readonly #widths = new Map<string, number>();
  readonly #watchers: Watchers = {};
  #only: string | undefined;
  #hidden = false;
  #lastRequest = 0;
  /** What was last asked for, as text; empty when the server has not been asked since the last hello. */
  #asked = "";
  /** Rises with each event, so that a list that was asked for before it is not believed. */
  #events = 0;

  constructor(tools: LiveTools<Bitmap>) {
    this.#tools = tools;
    this.state = new Store<LiveState>({
      phase: { name: "connecting" },
      hello: undefined,
      streams: [],
      notice: "",
      needsToken: false,
      frozen: false,
      filter: tools.filter,
    });
    this.#connection = tools.connect({
      phase: (phase) => this.#onPhase(phase),
      message: (message) => this.#onMessage(message),
      picture: (message) => this.#onPicture(message),
    });
  }

  connect(): void {
    this.#connection.connect();
  }

  player(stream: string): Player<Bitmap> {
    const known = this.#players.get(stream);
    if (known) return known;
    const player = new Player(this.#tools.player);
    this.#players.set(stream, player);
    return player;
  }

  setFrozen(frozen: boolean): void {
    this.state.patch({ frozen });
    if (frozen) for (const player of this.#players.values()) player.flush();
    this.#ask();
  }

  setFilter(filter: Filter): void {
    this.state.patch({ filter });
    for (const player of this.#players.values()) player.refresh();
  }

  /** The tab is out of sight: nothing is worth sending. */
  setHidden(hidden: boolean): void {
    this.#hidden = hidden;
    this.#ask();
  }

  /** The one stream at full size, or all. */
  setOnly(stream: string | undefined): void {
    this.#only = stream;
    this.#ask();
  }

  /** How wide a stream's picture is drawn, in device pixels; undefined when it is drawn no more. */
  setWidth(stream: string, width: number | undefined): void {
    if (width === undefined) this.#widths.delete(stream);
    else this.#widths.set(stream, width);
    this.#ask();
  }

  /** While the connection that is open lasts, or until the function that it returns is called. */
  watch<T extends keyof Topics>(topic: T, onEvent: Watchers[T]): () => void {
    this.#watchers[topic] = onEvent;
    this.#connection.send({ id: (this.#lastRequest += 1), type: "watch", topics: [topic] });
    return () => {
      delete this.#watchers[topic];
      this.#connection.send({ id: (this.#lastRequest += 1), type: "unwatch", topics: [topic] });
    };
  }

  dismissNotice(): void {
    this.state.patch({ notice: "" });
  }

  /** Keeps the newest frame of a stream. Fails with an ApiError. */
  async capture(stream: string): Promise<void> {
    await this.#tools.api.capture(stream);
  }

  /** Fails with an ApiError. */
  async add(stream: NewStream): Promise<void> {
    await this.#tools.api.add(stream);
    await this.refresh();
  }

  /** Fails with an ApiError. */
  async change(id: string, patch: StreamPatch): Promise<void> {
    await this.#tools.api.change(id, patch);
    await this.refresh();
  }

  /** For everyone who watches; what the server has against it is a notice. */
  async setPaused(id: string, paused: boolean): Promise<void> {
    try {
      await this.change(id, { paused: paused ? true : null });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.state.patch({ notice: `${error.message} ${error.hint}`.trim() });
    }
  }

  /** Fails with an ApiError. */
  async remove(id: string): Promise<void> {
    await this.#tools.api.remove(id);
    await this.refresh();
  }

  /** Reads the counts; also finds out that a token is needed, which a WebSocket is not told. */
  async refresh(): Promise<void> {
    const events = this.#events;
    try {
      const streams = await this.#tools.api.list();
      this.state.patch(events === this.#events ? { streams, needsToken: false } : { needsToken: false });
    } catch (error) {
      // The connection says by itself when the server is gone.
      if ((error as ApiError).status !== 401) return;
      this.state.patch({ needsToken: true });
      this.#connection.rest();
    }
  }

  #onPhase(phase: Phase): void {
    this.state.patch({ phase });
    if (phase.name === "waiting") void this.refresh();
  }

  #onMessage(message: ServerMessage): void {
    switch (message.type) {
      case "hello":
        this.#onHello(message);
        break;
      case "stream":
        this.#events += 1;
        this.state.patch({ streams: applyEvent(this.state.value.streams, message) });
        if (message.state === "removed") this.#forget(message.stream);
        // Whatever comes next of this stream, its address and size for example, is in the list.
        else if (message.state !== "ended") void this.refresh();
        break;
      case "result":
        if (message.error) this.state.patch({ notice: `${message.error.message} ${message.error.hint}`.trim() });
        break;
      case "job":
        this.#watchers.jobs?.(message);
        break;
      case "training":
        this.#watchers.trainings?.(message);
        break;
      case "detections":
        break;
    }
  }

  #onHello({ protocol, server, model, labels, scope, streams }: Hello): void {
    const notice = protocol === PROTOCOL ? "" : "The server has been renewed; reload this page to go with it.";
    const gone = this.state.value.streams.filter(({ id }) => !streams.some((stream) => stream.id === id));
    for (const { id } of gone) this.#forget(id);
    this.#events += 1;
    this.state.patch({ hello: { server, model, labels, scope }, streams, notice, needsToken: false });
    this.#asked = "";
    this.#ask();
  }

  #onPicture(message: PictureMessage): void {
    if (!this.state.value.frozen) this.player(message.detections.stream).offer(message);
  }

  #forget(stream: string): void {
    this.#players.get(stream)?.close();
    this.#players.delete(stream);
  }

  #ask(): void {
    const { phase, frozen, streams } = this.state.value;
    if (phase.name !== "open") return;
    const only = streams.some(({ id }) => id === this.#only) ? this.#only : undefined;
    const wanted = subscriptionFor({ nothing: frozen || this.#hidden, only, widths: [...this.#widths.values()] });
    const asked = JSON.stringify(wanted ?? null);
    if (asked === this.#asked) return;
    this.#asked = asked;
    for (const request of requestsFor(wanted, () => (this.#lastRequest += 1))) this.#connection.send(request);
  }
}
