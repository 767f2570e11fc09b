// One stream's life in the pipeline: started, paused, changed and stopped, with its books and what is said of it.
import { defer, from, interval, Observable, type Subscription, switchMap, takeUntil, tap } from "rxjs";
import { MultiboxError } from "../errors.ts";
import type { Detected, DropCause, Frame } from "./frame.ts";
import { createKeep, type Keep } from "./keep.ts";
import { LatencyMeter } from "./latency.ts";
import { StreamMeter } from "./meter.ts";
import type { SourceOptions } from "./source.ts";
import type { Lane } from "./lane.ts";
import type { Lanes } from "./lanes.ts";
import {
  isLive,
  sameSource,
  type StreamConfig,
  type StreamPatch,
  type StreamState,
  type StreamStatus,
} from "./stream.ts";
import { StreamLane } from "./stream-lane.ts";
import { supervise } from "./supervise.ts";

type SourceHooks = Required<
  Pick<SourceOptions, "onDecoded" | "onDrop" | "onClosed" | "onWarning" | "onWaiting" | "hadFrames">
>;

/** What a stream asks of its pipeline. */
export interface StreamHost {
  readonly stallMs: number;
  readonly lanes: Lanes;
  /** One run of a source whose frames go to this lane. */
  readonly open: (config: StreamConfig, lane: Lane, hooks: SourceHooks) => Observable<Frame>;
  /** A frame goes to the lane; when it has come out, `detected` or `dropped` is to be called. */
  readonly onFrame: (stream: RunningStream, frame: Frame) => void;
  readonly onStatus: (status: StreamStatus) => void;
  /** What is to be known of every run of a source, once each time that it starts to run; its retries say nothing. */
  readonly warningOf?: (config: StreamConfig) => MultiboxError | undefined;
  readonly onWarning: (warning: MultiboxError) => void;
}

/** Why a stream cannot run as it is set. */
export interface StreamFault {
  readonly error: MultiboxError;
  /** The settings that a change has to set, whatever to, before the stream is started. */
  readonly fields: readonly string[];
}

export class RunningStream {
  readonly meter: StreamMeter;
  readonly latency = new LatencyMeter();
  readonly #host: StreamHost;
  readonly #lane: StreamLane;
  #config: StreamConfig;
  #keep: Keep;
  #status: StreamStatus;
  /** What the source's supervision said last, which a pause covers. */
  #supervised: Pick<StreamStatus, "state" | "error"> = { state: "connecting" };
  #subscription: Subscription | undefined;
  /** Frames of a file that is played once, while it is paused; no more than its pool has. */
  readonly #held: Frame[] = [];
  /** A file that was damaged or cut short is said to be so when it has ended. */
  #damage: MultiboxError | undefined;
  /** To be told once no frame is in flight. */
  #onSettled: (() => void) | undefined;
  /** Runs of ffmpeg that are not gone yet. */
  #runs = 0;
  /** Runs of ffmpeg that there ever were. */
  #started = 0;
  #announced = false;
  #fault: StreamFault | undefined;
  /** To be done when none is left. */
  #onGone: (() => void) | undefined;

  /** `firstSeq` numbers its first detected frame. */
  constructor(config: StreamConfig, host: StreamHost, firstSeq = 0, fault?: StreamFault) {
    this.#fault = fault;
    this.meter = new StreamMeter(undefined, firstSeq);
    this.#config = config;
    this.#host = host;
    this.#lane = new StreamLane(host.lanes, config.id);
    this.#keep = createKeep(config);
    this.#status = { config, state: config.paused ? "paused" : "connecting", since: Date.now() };
  }

  get config(): StreamConfig {
    return this.#config;
  }

  get status(): StreamStatus {
    return this.#status;
  }

  /** The labels of the model that detects its frames; undefined while none is open for it. */
  get modelLabels(): readonly string[] | undefined {
    return this.#lane.lane?.detector.info.labels;
  }

  /** How often ffmpeg was started after the first time, for whatever reason. */
  get restarts(): number {
    return Math.max(0, this.#started - 1);
  }

  /** Of a frame's detections, those that the settings let through. */
  get keep(): Keep {
    return this.#keep;
  }

  /** Whether nothing of it runs before a change sets what is wrong with it. */
  get isFaulty(): boolean {
    return this.#fault !== undefined;
  }

  /** Says the first state, and runs the source unless it is paused or cannot run as it is set. */
  start(): void {
    if (this.#fault) this.#say("misconfigured", this.#fault.error);
    else if (this.#config.paused) this.#say("paused");
    else this.#run();
  }

  /** New settings, at once, and the change that led to them. The decoder continues as it is where it can. */
  change(config: StreamConfig, patch: StreamPatch = {}): void {
    const before = this.#config;
    this.#config = config;
    this.#status = { ...this.#status, config };
    this.#keep = createKeep(config);
    if (this.#fault) {
      if (!this.#fault.fields.every((name) => Object.hasOwn(patch, name))) return;
      this.#fault = undefined;
    }
    const changesModel = before.model !== config.model;
    const isWaitingForModel = !this.#lane.lane && this.#supervised.state !== "ended";
    if (!sameSource(before, config) || (config.paused && isLive(config)) || (changesModel && isWaitingForModel))
      this.#halt();
    if (config.paused) {
      this.#say("paused");
      return;
    }
    this.#say(this.#supervised.state, this.#supervised.error);
    if (!this.#subscription) {
      this.#afterLastRun(() => this.#run());
      return;
    }
    for (const frame of this.#held.splice(0)) this.#push(frame);
    if (this.#lane.lane && changesModel) this.#changeLane();
  }

  /** Resolves when no ffmpeg of the stream runs any more. */
  stop(): Promise<void> {
    this.#halt();
    return new Promise((resolve) => this.#afterLastRun(resolve));
  }

  /** A frame came out of the lane, detected; its number among the stream's detected ones. To be followed by `settle`. */
  detected(timing: Detected["timing"]): number {
    this.latency.record(timing);
    return this.meter.detected();
  }

  /** A frame came out of the lane, or did not come into it, and will not be detected. */
  dropped(cause: DropCause): void {
    this.meter.dropped(cause);
    this.settle();
  }

  /** A file has ended when no frame of it is in flight. */
  settle(): void {
    if (this.meter.inFlight > 0) return;
    const onSettled = this.#onSettled;
    this.#onSettled = undefined;
    onSettled?.();
  }

  #run(): void {
    const { stallMs } = this.#host;
    const betweenFrames = this.#config.maxFps === undefined ? 0 : 1000 / this.#config.maxFps;
    this.#damage = undefined;
    const warning = this.#host.warningOf?.(this.#config);
    if (warning) {
      const sentence = `Stream "${this.#config.id}": ${warning.message}`;
      this.#host.onWarning(new MultiboxError(warning.code, sentence, warning.hint));
    }
    const frames = supervise(this.#config, (alive, waiting) => this.#open(alive, waiting), {
      stallMs: stallMs + betweenFrames,
      onState: (state, error) => this.#supervise(state, error),
    });
    this.#subscription = frames.subscribe((frame) => {
      if (this.#config.paused) this.#held.push(frame);
      else this.#push(frame);
    });
  }

  #push(frame: Frame): void {
    this.#host.onFrame(this, frame);
    this.#lane.lane!.push(frame);
  }

  /** Frames go to the old model until the new one is open. When it cannot be opened, the stream cannot run as it is set. */
  #changeLane(): void {
    this.#lane.want(this.#config.model)?.catch(() => {
      if (!this.#subscription) return;
      this.#halt();
      this.#afterLastRun(() => this.#run());
    });
  }

  #halt(): void {
    this.#subscription?.unsubscribe();
    this.#subscription = undefined;
    this.#onSettled = undefined;
    this.#onGone = undefined;
    this.#supervised = { state: "connecting" };
    for (const frame of [...this.#lane.release(), ...this.#held.splice(0)]) {
      this.meter.dropped("closed");
      frame.release();
    }
  }

  /** One run of the source, once its model is open. */
  #open(alive: () => void, waiting: () => void): Observable<Frame> {
    const run = defer(() => this.#openSource(alive, waiting));
    const opening = this.#lane.want(this.#config.model);
    if (!opening) return run;
    // A model takes what time it takes, its download included; the stream is not stalled for that.
    return new Observable((subscriber) => {
      const opened = from(opening);
      subscriber.add(
        interval(1000)
          .pipe(takeUntil(opened))
          .subscribe({ next: waiting, error: () => {} }),
      );
      return opened.pipe(switchMap(() => run)).subscribe(subscriber);
    });
  }

  /** One run of the source, with its books kept. */
  #openSource(alive: () => void, waiting: () => void): Observable<Frame> {
    this.#runs += 1;
    this.#started += 1;
    const hooks: SourceHooks = {
      onDecoded: () => {
        alive();
        this.meter.decoded();
      },
      onDrop: (cause) => this.meter.dropped(cause),
      onWaiting: waiting,
      hadFrames: this.meter.counts().decoded > 0,
      onClosed: () => {
        this.#runs -= 1;
        if (this.#runs > 0) return;
        const onGone = this.#onGone;
        this.#onGone = undefined;
        onGone?.();
      },
      onWarning: (warning) => {
        this.#damage = warning;
        this.#host.onWarning(warning);
      },
    };
    return this.#host.open(this.#config, this.#lane.lane!, hooks).pipe(
      tap(({ picture: { width, height } }) => {
        const { size } = this.#status;
        if (size?.width !== width || size.height !== height)
          this.#status = { ...this.#status, size: { width, height } };
      }),
    );
  }

  #supervise(state: StreamState, error: MultiboxError | undefined): void {
    const say = (): void => {
      if (state === "ended") this.#lane.release();
      this.#supervised = { state, error: error ?? this.#damage };
      if (!this.#config.paused) this.#say(state, this.#supervised.error);
    };
    // A file has ended when its last frame is detected, not when it is decoded: who waits for it wants all of it.
    if (state === "ended" && this.meter.inFlight > 0) this.#onSettled = say;
    else say();
  }

  /** Each state once, however many changes lead to it. */
  #say(state: StreamState, error?: MultiboxError): void {
    if (this.#announced && state === this.#status.state && error === this.#status.error) return;
    this.#announced = true;
    this.#status = { ...this.#status, state, since: Date.now(), error };
    this.#host.onStatus(this.#status);
  }

  /** One decoder a source: the next begins when the last is gone. A later wish takes the place of an earlier one. */
  #afterLastRun(action: () => void): void {
    if (this.#runs === 0) action();
    else this.#onGone = action;
  }
}
