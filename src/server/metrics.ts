// What Prometheus reads at /metrics: the books of every stream, where the time goes, and how the process is.
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Subscription } from "rxjs";
import type { Detector } from "../model/detector.ts";
import type { Detected } from "../pipeline/frame.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";
import type { History } from "./history/history.ts";
import { JobState } from "./jobs/job-schemas.ts";
import type { Jobs } from "./jobs/jobs.ts";

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];
const OF_FRAMES = { labelNames: ["stream", "model"] };

export interface MetricsOptions {
  readonly pipeline: Pipeline;
  readonly history: Pick<History, "status">;
  readonly jobs: Pick<Jobs, "list">;
  /** The one in use, which changes with its model. */
  readonly detector: Pick<Detector, "info">;
  /** Of multibox. */
  readonly version: string;
  /** Engine workers that died or hung and were replaced, by the code of the error; it grows. */
  readonly engineDeaths?: ReadonlyMap<string, number> | undefined;
}

interface ClientFigures {
  readonly clients: number;
  /** Messages in all outboxes. */
  readonly waiting: number;
}

export class Metrics {
  readonly #registry = new Registry();
  readonly #options: MetricsOptions;
  readonly #subscription: Subscription;
  readonly #decoded = this.#counter("frames_decoded_total", "Frames that came out of the decoder.", ["stream"]);
  readonly #detected = this.#counter("frames_detected_total", "Frames that went through the network.", ["stream"]);
  readonly #dropped = this.#counter("frames_dropped_total", "Frames that were not detected, by cause.", [
    "stream",
    "cause",
  ]);
  readonly #inFlight = this.#gauge(
    "frames_in_flight",
    "Frames between decoder and result: decoded - detected - dropped.",
    ["stream"],
  );
  readonly #state = this.#gauge("stream_state", "1 for the state that the stream is in.", ["stream", "state"]);
  readonly #queue = this.#histogram("queue_seconds", "From a frame's arrival until the engine took it.", OF_FRAMES);
  readonly #infer = this.#histogram("infer_seconds", "In the detector, for the frame's whole batch.", OF_FRAMES);
  readonly #total = this.#histogram("total_seconds", "From a frame's arrival to its detections.", OF_FRAMES);
  readonly #clients = this.#gauge("ws_clients", "WebSocket clients that are connected.", []);
  readonly #outboxes = this.#gauge("ws_messages_waiting", "Messages that wait for WebSocket clients.", []);
  readonly #sent = this.#counter("ws_messages_sent_total", "Messages that left for WebSocket clients.", ["kind"]);
  readonly #missed = this.#counter("ws_messages_dropped_total", "Messages that WebSocket clients missed, by cause.", [
    "stream",
    "cause",
  ]);

  readonly #batchSize = this.#histogram("batch_frames", "Frames that went through the network at once.", {
    labelNames: ["model"],
    buckets: [1, 2, 4, 8, 16, 32, 64],
  });
  readonly #batchTime = this.#histogram("batch_seconds", "In the network, for a whole batch.", {
    labelNames: ["model"],
  });
  readonly #errors = this.#counter("stream_errors_total", "Times that a stream failed or was refused, by the error.", [
    "stream",
    "code",
  ]);
  readonly #restarts = this.#counter(
    "ffmpeg_restarts_total",
    "Times that a stream's ffmpeg was started again: after failures, changes and pauses.",
    ["stream"],
  );
  readonly #deaths = this.#counter(
    "engine_restarts_total",
    "Workers of the engine that died or hung and were replaced, by the error.",
    ["code"],
  );
  readonly #info = this.#gauge("info", "What runs here.", ["version", "model", "engine"]);
  readonly #written = this.#counter("history_frames_written_total", "Frames whose detections are on disk.", []);
  readonly #lost = this.#counter("history_frames_lost_total", "Frames that the history could not take.", []);
  readonly #waiting = this.#gauge("history_frames_waiting", "Frames that wait to be written to the history.", []);
  readonly #jobs = this.#gauge("jobs", "Annotation jobs that there are, by their state.", ["state"]);
  /** Those that were counted, so that they can be taken away with their stream. */
  readonly #errorCodes = new Map<string, Set<string>>();
  /** Likewise. */
  readonly #models = new Map<string, Set<string>>();
  #readClients = (): ClientFigures => ({ clients: 0, waiting: 0 });

  constructor(options: MetricsOptions) {
    const { pipeline } = options;
    this.#options = options;
    collectDefaultMetrics({ register: this.#registry });
    this.#subscription = pipeline.detected.subscribe((detected) => this.#observe(detected));
    this.#subscription.add(
      pipeline.batches.subscribe(({ model: of, size, ms }) => {
        const model = nameOf(of);
        this.#batchSize.observe({ model }, size);
        this.#batchTime.observe({ model }, ms / 1000);
      }),
    );
    this.#subscription.add(
      pipeline.statuses.subscribe(({ config, error }) => {
        if (!error) return;
        const labels = { stream: config.id, code: error.code };
        this.#errors.inc(labels);
        note(this.#errorCodes, config.id, error.code);
      }),
    );
    this.#subscription.add(pipeline.removed.subscribe((stream) => this.#forget(stream)));
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** The books of all streams are read in one go, so they close in the text as well. */
  text(): Promise<string> {
    const { pipeline, history, jobs, detector, version, engineDeaths = new Map<string, number>() } = this.#options;
    const books = [this.#decoded, this.#detected, this.#dropped, this.#inFlight, this.#state, this.#restarts];
    for (const metric of [...books, this.#written, this.#lost, this.#deaths, this.#info]) metric.reset();
    for (const { config, state } of pipeline.list()) {
      const stream = config.id;
      const counts = pipeline.counts(stream);
      this.#decoded.inc({ stream }, counts.decoded);
      this.#detected.inc({ stream }, counts.detected);
      this.#inFlight.set({ stream }, counts.inFlight);
      for (const [cause, count] of Object.entries(counts.dropped)) this.#dropped.inc({ stream, cause }, count);
      this.#state.set({ stream, state }, 1);
      this.#restarts.inc({ stream }, pipeline.restarts(stream));
    }
    for (const [code, count] of engineDeaths) this.#deaths.inc({ code }, count);
    this.#info.set({ version, model: nameOf(detector.info.model), engine: detector.info.engine }, 1);
    const { clients, waiting: messages } = this.#readClients();
    this.#clients.set(clients);
    this.#outboxes.set(messages);
    const { kept, lost, waiting } = history.status();
    this.#written.inc(kept);
    this.#lost.inc(lost);
    this.#waiting.set(waiting);
    for (const state of JobState.options) this.#jobs.set({ state }, jobs.list({ state }).length);
    return this.#registry.metrics();
  }

  /** How the clients are is asked whenever the text is. */
  watchClients(read: () => ClientFigures): void {
    this.#readClients = read;
  }

  messageSent(kind: "detections" | "other"): void {
    this.#sent.inc({ kind });
  }

  messageDropped(stream: string, cause: "slow" | "encoder"): void {
    this.#missed.inc({ stream, cause });
  }

  /** Idempotent. */
  close(): void {
    this.#subscription.unsubscribe();
    this.#registry.clear();
  }

  #observe({ frame: { stream }, model: of, timing }: Detected): void {
    const labels = { stream, model: nameOf(of) };
    note(this.#models, stream, labels.model);
    this.#queue.observe(labels, timing.queueMs / 1000);
    this.#infer.observe(labels, timing.inferMs / 1000);
    this.#total.observe(labels, timing.totalMs / 1000);
  }

  #forget(stream: string): void {
    for (const model of this.#models.get(stream) ?? []) {
      for (const histogram of [this.#queue, this.#infer, this.#total]) histogram.remove({ stream, model });
    }
    this.#models.delete(stream);
    for (const code of this.#errorCodes.get(stream) ?? []) this.#errors.remove({ stream, code });
    this.#errorCodes.delete(stream);
    for (const cause of ["slow", "encoder"]) this.#missed.remove({ stream, cause });
  }

  #counter(name: string, help: string, labelNames: string[]): Counter {
    return new Counter({ name: `multibox_${name}`, help, labelNames, registers: [this.#registry] });
  }

  #gauge(name: string, help: string, labelNames: string[]): Gauge {
    return new Gauge({ name: `multibox_${name}`, help, labelNames, registers: [this.#registry] });
  }

  #histogram(
    name: string,
    help: string,
    { labelNames, buckets = SECONDS }: { labelNames: string[]; buckets?: number[] },
  ): Histogram {
    return new Histogram({
      name: `multibox_${name}`,
      help,
      labelNames,
      buckets,
      registers: [this.#registry],
    });
  }
}

const nameOf = ({ name, version }: { readonly name: string; readonly version: string }): string => `${name} ${version}`;

function note(seen: Map<string, Set<string>>, stream: string, value: string): void {
  seen.set(stream, (seen.get(stream) ?? new Set()).add(value));
}
