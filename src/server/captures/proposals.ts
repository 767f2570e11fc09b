// Proposals that a running server makes for captures that nobody has reviewed: one run at a time, looked for by a child process, written by the server.
import { dirname, sep } from "node:path";
import type { Logger } from "pino";
import { countOf } from "../../count.ts";
import { MultiboxError } from "../../errors.ts";
import type { Capture } from "../../training/capture.ts";
import type { ErrorBody } from "../api/error-body.ts";
import { errorBody } from "../api/problem.ts";
import { isoTime } from "../streams/streams.ts";
import type { CaptureStore } from "./capture-store.ts";
import type { ProposalEvent } from "./proposal-events.ts";
import type { ProposalsInfo } from "./proposal-schemas.ts";
import { applyProposals, isUnreviewed } from "./propose.ts";

/** What a run looks at, and with what. */
export interface ProposalsLook {
  /** Resolved: `name@version`, or the folder of the server's own model. */
  readonly model: string;
  /** `3x2`. */
  readonly regions: string;
  readonly labels?: readonly string[] | undefined;
  readonly minScore: number;
  /** Only captures of these; all when absent. */
  readonly streams?: readonly string[] | undefined;
}

/** Resolves when all captures were looked at. Ends soon after the signal. */
export type ProposalRunner = (
  look: ProposalsLook,
  signal: AbortSignal,
  onEvent: (event: ProposalEvent) => void,
) => Promise<void>;

export interface ProposalsOptions {
  readonly store: CaptureStore;
  readonly run: ProposalRunner;
  readonly logger: Logger;
  /** In milliseconds since the epoch. */
  readonly now: () => number;
}

/** Whether a caller sees a stream. */
export type Sees = (stream: string) => boolean;

interface Tally {
  total: number;
  done: number;
  captures: number;
  boxesBefore: number;
  boxes: number;
  reviewed: number;
  failed: number;
  readonly failures: string[];
}

interface Run {
  readonly look: ProposalsLook;
  /** How people read the model's name. */
  readonly modelName: string;
  readonly started: number;
  readonly abort: AbortController;
  /** Captures that were not dealt with yet, each with its stream. */
  readonly pending: Map<string, string>;
  /** By stream, because some callers see only some. */
  readonly tallies: ReadonlyMap<string, Tally>;
  state: "running" | "done" | "failed" | "cancelled";
  ended?: number;
  error?: ErrorBody;
  /** The stream of the capture at which it failed. */
  failedAt?: string;
}

const MOST_FAILURES = 20;

export class Proposals {
  readonly #options: ProposalsOptions;
  /** The last one. */
  #run: Run | undefined;
  #ended: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(options: ProposalsOptions) {
    this.#options = options;
  }

  /** The resolved model of the run that goes on now. */
  get runningModel(): string | undefined {
    return this.#run?.state === "running" ? this.#run.look.model : undefined;
  }

  /** Captures of these streams that nobody has reviewed. */
  unreviewed(sees: Sees): Capture[] {
    return this.#options.store.list().filter((capture) => sees(capture.stream) && isUnreviewed(capture));
  }

  /** Starts a run on the captures that `sees` allows. Fails with FOLDER_UNAVAILABLE, PROPOSALS_RUNNING or NO_UNREVIEWED_CAPTURES. */
  async start(look: ProposalsLook, modelName: string, sees: Sees): Promise<void> {
    this.#requireIdle();
    await this.#options.store.place.require();
    // Another request may have been first.
    this.#requireIdle();
    const captures = this.unreviewed(sees);
    if (captures.length === 0) throw this.#nothing(sees);
    const tallies = new Map<string, Tally>();
    for (const { stream } of captures) {
      const tally = tallies.get(stream) ?? newTally();
      tally.total += 1;
      tallies.set(stream, tally);
    }
    const run: Run = {
      look,
      modelName,
      started: this.#options.now(),
      abort: new AbortController(),
      pending: new Map(captures.map(({ id, stream }) => [id, stream])),
      tallies,
      state: "running",
    };
    // The server may have begun to end while the folder was looked at.
    if (this.#isClosed) run.abort.abort();
    this.#run = run;
    this.#ended = this.#work(run);
  }

  /** The last run, in numbers of the streams that the caller sees; idle where it was of others alone. */
  info(sees: Sees): ProposalsInfo {
    const run = this.#run;
    const seen = run ? [...run.tallies].filter(([stream]) => sees(stream)).map(([, tally]) => tally) : [];
    if (!run || seen.length === 0) return { state: "idle" };
    const sum = newTally();
    for (const { failures, ...counts } of seen) {
      for (const name of COUNTS) sum[name] += counts[name];
      sum.failures.push(...failures);
    }
    const { state, modelName, look, started, ended, failedAt } = run;
    const error = run.error && failedAt !== undefined && !sees(failedAt) ? elsewhere(run.error) : run.error;
    return {
      state,
      model: modelName,
      regions: look.regions,
      ...sum,
      failures: sum.failures.slice(0, MOST_FAILURES),
      started: isoTime(started),
      ...(ended !== undefined && { ended: isoTime(ended) }),
      ...(error && { error }),
    };
  }

  /** Whether the run that goes on is of streams that the caller does not see, besides some that it does. */
  isShared(sees: Sees): boolean {
    const streams = this.#run?.state === "running" ? [...this.#run.tallies.keys()] : [];
    return streams.some(sees) && !streams.every(sees);
  }

  /** Resolves when it has ended; nothing happens where none runs. What has new proposals keeps them. */
  async cancel(): Promise<void> {
    this.#run?.abort.abort();
    await this.#ended;
  }

  /** Ends what runs; what is started later ends at once. It is not resumed by the next server. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.cancel();
  }

  #requireIdle(): void {
    if (this.#run?.state !== "running") return;
    const sentence = "Proposals are being made already, and one run at a time makes them.";
    throw new MultiboxError("PROPOSALS_RUNNING", sentence, "Wait until it ends, or cancel it.");
  }

  #nothing(sees: Sees): MultiboxError {
    const count = this.#options.store.list().filter(({ stream }) => sees(stream)).length;
    const [sentence, hint] =
      count === 0
        ? [
            "There are no captures here yet.",
            "Keep some first: the button Capture in Live, or the setting capture of a stream.",
          ]
        : [
            `Of ${countOf(count, "capture")} each has been reviewed.`,
            "Proposals are made for captures that nobody has corrected, accepted or skipped.",
          ];
    return new MultiboxError("NO_UNREVIEWED_CAPTURES", sentence, hint);
  }

  /** Never rejects. */
  async #work(run: Run): Promise<void> {
    const { logger, now } = this.#options;
    const { signal } = run.abort;
    logger.info({ model: run.modelName, regions: run.look.regions, captures: run.pending.size }, "proposals are made");
    let failure: { readonly error: unknown } | undefined;
    let applied = Promise.resolve();
    const onEvent = (event: ProposalEvent): void => {
      applied = applied.then(async () => {
        if (signal.aborted) return;
        try {
          await this.#take(run, event);
        } catch (error) {
          failure = { error };
          run.failedAt = run.pending.get(event.id)!;
          run.abort.abort();
        }
      });
    };
    try {
      if (!signal.aborted) await this.#options.run(run.look, signal, onEvent);
      await applied;
      if (failure) throw failure.error;
      if (!signal.aborted) await this.#settle(run);
      run.state = signal.aborted ? "cancelled" : "done";
    } catch (error) {
      await applied;
      run.state = signal.aborted && !failure ? "cancelled" : "failed";
      const cause = failure ? failure.error : error;
      if (run.state === "failed") run.error = this.#errorOf(cause);
      if (run.state === "failed" && !(cause instanceof MultiboxError)) logger.error({ err: cause }, "proposals failed");
    }
    run.ended = now();
    logger.info({ model: run.modelName, state: run.state, code: run.error?.code }, `proposals are ${run.state}`);
  }

  /**
   * Fails as `applyProposals` does, or with FOLDER_UNAVAILABLE where that is why an image cannot be read. A capture that was made or reviewed
   * before the run started is skipped.
   */
  async #take(run: Run, event: ProposalEvent): Promise<void> {
    const stream = run.pending.get(event.id);
    if (stream === undefined) return;
    const tally = run.tallies.get(stream)!;
    if (event.event === "unreadable") await this.#options.store.place.require();
    const before = event.event === "proposed" ? await applyProposals(this.#options.store, event) : undefined;
    if (event.event === "proposed" && before !== undefined) {
      tally.captures += 1;
      tally.boxesBefore += before;
      tally.boxes += event.proposed.length;
    } else if (event.event === "unreadable" && this.#options.store.has(event.id)) fail(tally, event.message);
    else tally.reviewed += 1;
    tally.done += 1;
    run.pending.delete(event.id);
  }

  /** What the child process did not find was deleted meanwhile, or its file is damaged. Fails with FOLDER_UNAVAILABLE. */
  async #settle(run: Run): Promise<void> {
    if (run.pending.size > 0) await this.#options.store.place.require();
    for (const [id, stream] of run.pending) {
      const tally = run.tallies.get(stream)!;
      if (this.#options.store.has(id)) fail(tally, `${id}: its file in the folder captures/ cannot be read.`);
      else tally.reviewed += 1;
      tally.done += 1;
    }
    run.pending.clear();
  }

  /** Where the server keeps its data is no business of its clients. */
  #errorOf(cause: unknown): ErrorBody {
    const { message, ...body } = errorBody(cause);
    return { ...body, message: message.replaceAll(dirname(this.#options.store.folder) + sep, "") };
  }
}

const COUNTS = ["total", "done", "captures", "boxesBefore", "boxes", "reviewed", "failed"] as const;

function newTally(): Tally {
  return { total: 0, done: 0, captures: 0, boxesBefore: 0, boxes: 0, reviewed: 0, failed: 0, failures: [] };
}

function fail(tally: Tally, sentence: string): void {
  tally.failed += 1;
  if (tally.failures.length < MOST_FAILURES) tally.failures.push(sentence);
}

/** An error whose sentence names a capture of a stream that the caller does not see. */
function elsewhere({ code }: ErrorBody): ErrorBody {
  return { code, message: "It failed at a capture of another stream.", hint: "The server's log says more." };
}
