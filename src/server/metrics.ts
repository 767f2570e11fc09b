// What Prometheus reads at /metrics: the books of every stream, where the time goes, and how the process is.
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Subscription } from "rxjs";
import type { Detected } from "../pipeline/frame.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";
import type { History } from "./history.ts";

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

export interface MetricsInfo {
  readonly version: string;
  readonly model: string;
  readonly engine: string;
}

export class Metrics {
  readonly #registry = new Registry();
  readonly #pipeline: Pipeline;
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
  readonly #queue = this.#histogram("queue_seconds", "From a frame's arrival until the engine took it.");
  readonly #infer = this.#histogram("infer_seconds", "In the detector, for the frame's whole batch.");
  readonly #total = this.#histogram("total_seconds", "From a frame's arrival to its detections.");
  readonly #clients = this.#gauge("ws_clients", "WebSocket clients that are connected.", []);
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
  readonly #written = this.#counter("history_frames_written_total", "Frames whose detections are on disk.", []);
  readonly #lost = this.#counter("history_frames_lost_total", "Frames that the history could not take.", []);
  readonly #waiting = this.#gauge("history_frames_waiting", "Frames that wait to be written to the history.", []);
  /** Those that were counted, so that they can be taken away with their stream. */
  readonly #errorCodes = new Map<string, Set<string>>();
  readonly #history: Pick<History, "status">;

  constructor(pipeline: Pipeline, history: Pick<History, "status">, info: MetricsInfo) {
    this.#history = history;
    this.#pipeline = pipeline;
    collectDefaultMetrics({ register: this.#registry });
    this.#gauge("info", "What runs here.", ["version", "model", "engine"]).set({ ...info }, 1);
    this.#clients.set(0);
    this.#subscription = pipeline.detected.subscribe((detected) => this.#observe(detected));
    this.#subscription.add(
      pipeline.batches.subscribe(({ model: { name, version }, size, ms }) => {
        const model = `${name} ${version}`;
        this.#batchSize.observe({ model }, size);
        this.#batchTime.observe({ model }, ms / 1000);
      }),
    );
    this.#subscription.add(
      pipeline.statuses.subscribe(({ config, error }) => {
        if (!error) return;
        const labels = { stream: config.id, code: error.code };
        this.#errors.inc(labels);
        this.#errorCodes.set(config.id, (this.#errorCodes.get(config.id) ?? new Set()).add(error.code));
      }),
    );
    this.#subscription.add(pipeline.removed.subscribe((stream) => this.#forget(stream)));
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** The books of all streams are read in one go, so they close in the text as well. */
  text(): Promise<string> {
    for (const metric of [this.#decoded, this.#detected, this.#dropped, this.#inFlight, this.#state]) metric.reset();
    for (const { config, state } of this.#pipeline.list()) {
      const stream = config.id;
      const counts = this.#pipeline.counts(stream);
      this.#decoded.inc({ stream }, counts.decoded);
      this.#detected.inc({ stream }, counts.detected);
      this.#inFlight.set({ stream }, counts.inFlight);
      for (const [cause, count] of Object.entries(counts.dropped)) this.#dropped.inc({ stream, cause }, count);
      this.#state.set({ stream, state }, 1);
    }
    const { kept, lost, waiting } = this.#history.status();
    for (const metric of [this.#written, this.#lost]) metric.reset();
    this.#written.inc(kept);
    this.#lost.inc(lost);
    this.#waiting.set(waiting);
    return this.#registry.metrics();
  }

  setClients(count: number): void {
    this.#clients.set(count);
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

  #observe({ frame: { stream }, timing }: Detected): void {
    this.#queue.observe({ stream }, timing.queueMs / 1000);
    this.#infer.observe({ stream }, timing.inferMs / 1000);
    this.#total.observe({ stream }, timing.totalMs / 1000);
  }

  #forget(stream: string): void {
    for (const histogram of [this.#queue, this.#infer, this.#total]) histogram.remove({ stream });
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
    { labelNames = ["stream"], buckets = SECONDS }: { labelNames?: string[]; buckets?: number[] } = {},
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
