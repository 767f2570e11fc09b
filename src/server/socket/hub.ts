// All WebSocket clients: frames and stream events go out to them, heartbeats find those that are gone.
import type { Socket } from "node:net";
import type { Logger } from "pino";
import { interval, type Observable, Subscription, type SchedulerLike } from "rxjs";
import type { WebSocket } from "ws";
import type { Config } from "../../config.ts";
import type { Detector } from "../../model/detector.ts";
import type { Pipeline } from "../../pipeline/pipeline.ts";
import type { SteadyClock } from "../../steady-scheduler.ts";
import type { Access } from "../access/access.ts";
import { type Caller, sees } from "../access/caller.ts";
import { Client } from "./client.ts";
import { FrameMessages } from "./frame-messages.ts";
import type { History } from "../history/history.ts";
import type { Metrics } from "../metrics.ts";
import type { Pictures } from "../streams/pictures.ts";
import { PROTOCOL_VERSION, type Hello, type JobEvent, type StreamEvent, type TrainingEvent } from "../protocol.ts";
import { removedEvent, streamEvent, streamInfos } from "../streams/streams.ts";

export interface HubOptions {
  readonly pipeline: Pipeline;
  readonly detector: Pick<Detector, "info">;
  readonly pictures: Pictures;
  readonly metrics: Metrics;
  readonly history: History;
  readonly jobs: { readonly events: Observable<JobEvent> };
  readonly trainings: { readonly events: Observable<TrainingEvent> };
  readonly config: Pick<Config, "minScore">;
  readonly logger: Logger;
  readonly version: string;
  readonly access: Pick<Access, "lease">;
  readonly clock: SchedulerLike;
  readonly steadyClock: SteadyClock;
}

const HEARTBEAT_MS = 30_000;

export class Hub {
  readonly #options: HubOptions;
  readonly #clients = new Set<Client>();
  readonly #subscription = new Subscription();

  constructor(options: HubOptions) {
    this.#options = options;
    const { pipeline, pictures, metrics, history, clock } = options;
    metrics.watchClients(() => {
      const waiting = [...this.#clients].map((client) => client.waiting);
      return { clients: waiting.length, waiting: waiting.reduce((sum, count) => sum + count, 0) };
    });
    this.#subscription.add(
      pipeline.detected.subscribe((detected) => {
        const messages = new FrameMessages(detected, pictures);
        // First, so that a client that comes back finds every frame there which it is not sent.
        history.record(messages.record);
        for (const client of this.#clients) client.onFrame(messages);
      }),
    );
    this.#subscription.add(pipeline.statuses.subscribe((status) => this.#tell(streamEvent(status))));
    this.#subscription.add(pipeline.removed.subscribe((stream) => this.#tell(removedEvent(stream, clock.now()))));
    this.#subscription.add(
      options.jobs.events.subscribe((event) => {
        for (const client of this.#clients) client.onTopic("jobs", event);
      }),
    );
    this.#subscription.add(
      options.trainings.events.subscribe((event) => {
        for (const client of this.#clients) client.onTopic("trainings", event);
      }),
    );
    this.#subscription.add(
      interval(HEARTBEAT_MS, clock).subscribe(() => {
        for (const client of this.#clients) client.beat();
      }),
    );
  }

  /** Takes an open WebSocket, which is greeted at once, and closed with 1008 when its token is revoked. */
  accept(socket: WebSocket, caller: Caller, connection: Pick<Socket, "bytesRead">): void {
    const { pipeline, metrics, config, history, clock, steadyClock, logger, access } = this.#options;
    const client = new Client(socket, {
      caller,
      hello: this.#hello(caller),
      minScore: config.minScore,
      streams: () =>
        pipeline
          .list()
          .map((status) => status.config.id)
          .filter((id) => sees(caller, id)),
      history,
      clock,
      steadyClock,
      bytesRead: () => connection.bytesRead,
      onSent: (kind) => metrics.messageSent(kind),
      onDropped: (stream, cause) => metrics.messageDropped(stream, cause),
      onBug: (error) => logger.error({ err: error }, "a WebSocket request failed"),
    });
    this.#clients.add(client);
    logger.debug({ clients: this.#clients.size }, "a WebSocket client came");
    const release = access.lease(caller, () => client.close(1008, "The token is no longer valid."));
    socket.on("close", (code) => {
      release();
      this.#clients.delete(client);
      logger.debug({ clients: this.#clients.size, code }, "a WebSocket client went");
    });
  }

  /** Idempotent. Sends what waits and takes leave of all clients; their sockets are open until they answer. */
  close(): void {
    this.#subscription.unsubscribe();
    for (const client of this.#clients) client.leave(1001, "The server is stopping.");
  }

  #tell(event: StreamEvent): void {
    for (const client of this.#clients) client.onStreamEvent(event);
  }

  #hello(caller: Caller): Hello {
    const { detector, pipeline, version } = this.#options;
    const { model, labels } = detector.info;
    return {
      type: "hello",
      protocol: PROTOCOL_VERSION,
      server: { name: "multibox", version },
      model: { name: model.name, version: model.version },
      labels: [...labels],
      scope: caller.scope,
      streams: streamInfos(pipeline).filter(({ id }) => sees(caller, id)),
    };
  }
}
