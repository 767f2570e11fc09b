// Corrections that are not on the server yet: kept over a reload, sent one after the other, retried, and never dropped by themselves.
import type { CaptureInfo, CapturePatch } from "../../captures/capture-schemas.ts";
import { ApiError } from "../api.ts";
import { backOffMs } from "../back-off.ts";
import { Store } from "../store.ts";

type Objects = NonNullable<CapturePatch["objects"]>;

/** A capture whose correction has not been saved. */
export interface Unsaved {
  readonly id: string;
  readonly stream: string;
  /** When its frame was decoded, ISO 8601. */
  readonly time: string;
  readonly objects: Objects;
  readonly status?: CaptureInfo["status"] | undefined;
  /** Of the state that was corrected. */
  readonly etag: string;
  /**
   * `editing`: more may follow at once. `ready`: to be sent, again where `problem` has a sentence. `conflict`: somebody else has changed it,
   * to `theirs`. `refused`: sending it again would not help.
   */
  readonly state: "editing" | "ready" | "conflict" | "refused";
  readonly problem: string;
  readonly theirs?: CaptureInfo | undefined;
}

export interface SavesState {
  readonly unsaved: readonly Unsaved[];
  /** When the next attempt is made after one that failed, in milliseconds since the epoch. */
  readonly retryAt: number | undefined;
}

export interface SavesApi {
  /** Fails with an ApiError: 412 with `current` where the capture has another tag. */
  changeCapture(id: string, patch: CapturePatch, etag: string): Promise<CaptureInfo>;
}

export interface Timers {
  readonly setTimer: (callback: () => void, ms: number) => number;
  readonly clearTimer: (timer: number) => void;
}

export interface SavesOptions {
  readonly api: SavesApi;
  readonly timers: Timers;
  /** Of this tab: another one sends its own. */
  readonly storage?: Pick<Storage, "getItem" | "setItem"> | undefined;
}

/** Steps that follow each other closely are one request. */
const SAVE_AFTER_MS = 400;
/** A request that takes longer has failed, whether it arrived or not: the same correction twice is no conflict. */
const ANSWER_MS = 30_000;
const KEY = "multibox-unsaved";
/** What is stored, in characters; the page itself keeps all. */
const MOST_STORED = 1_000_000;

export class Saves {
  readonly state: Store<SavesState>;
  /** A correction is on the server now, or the server's state was taken. */
  onSaved: (capture: CaptureInfo) => void = () => {};
  readonly #options: SavesOptions;
  #timer: number | undefined;
  #retry: number | undefined;
  #attempts = 0;
  #isSending = false;

  constructor(options: SavesOptions) {
    this.#options = options;
    this.state = new Store<SavesState>({ unsaved: stored(options.storage), retryAt: undefined });
  }

  get(id: string): Unsaved | undefined {
    return this.state.value.unsaved.find((one) => one.id === id);
  }

  /** A step of a correction; it is sent a moment later, or with the next `flush`. */
  put(capture: CaptureInfo, objects: Objects, status?: CaptureInfo["status"]): void {
    const before = this.get(capture.id);
    const { id, stream, time } = capture;
    const state = before?.state === "conflict" ? "conflict" : "editing";
    const etag = before?.etag ?? capture.etag;
    const problem = state === "conflict" ? before!.problem : "";
    this.#set({
      id,
      stream,
      time,
      objects,
      status: status ?? before?.status,
      etag,
      state,
      problem,
      theirs: before?.theirs,
    });
    this.#options.timers.clearTimer(this.#timer ?? 0);
    this.#timer = this.#options.timers.setTimer(() => this.flush(), SAVE_AFTER_MS);
  }

  /** Sends what waits, at once. */
  flush(): void {
    this.#options.timers.clearTimer(this.#timer ?? 0);
    this.#timer = undefined;
    for (const one of this.state.value.unsaved) if (one.state === "editing") this.#set({ ...one, state: "ready" });
    if (this.state.value.retryAt === undefined) void this.#send();
  }

  /** Tries again now what failed, what was refused too: the token or the server may be another one. */
  retry(): void {
    for (const one of this.state.value.unsaved) if (one.state === "refused") this.#set({ ...one, state: "ready" });
    this.#clearRetry();
    this.flush();
  }

  /** Of a conflict: the correction replaces what somebody else has saved. */
  keepMine(id: string): void {
    const one = this.get(id);
    if (!one?.theirs) return;
    this.#set({ ...one, etag: one.theirs.etag, theirs: undefined, state: "ready", problem: "" });
    this.flush();
  }

  /** Of a conflict: the correction is dropped for what somebody else has saved. */
  takeTheirs(id: string): void {
    const theirs = this.get(id)?.theirs;
    this.discard(id);
    if (theirs) this.onSaved(theirs);
  }

  /** Drops a correction, as a person has chosen. */
  discard(id: string): void {
    this.#keep(this.state.value.unsaved.filter((one) => one.id !== id));
  }

  /** One after the other. A failure that is not of a capture's own ends it until the next attempt. */
  async #send(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    try {
      for (;;) {
        const next = this.state.value.unsaved.find(({ state }) => state === "ready");
        if (!next || !(await this.#sendOne(next))) return;
      }
    } finally {
      this.#isSending = false;
    }
  }

  /** False where all others would fail as well. */
  async #sendOne(sent: Unsaved): Promise<boolean> {
    const { id, objects, status, etag } = sent;
    try {
      const patch = { objects, ...(status !== undefined && { status }) };
      this.#saved(sent, await this.#answer(this.#options.api.changeCapture(id, patch, etag)));
      this.#attempts = 0;
      return true;
    } catch (error) {
      const problem = sentenceOf(error);
      const theirs = currentOf(error);
      if (theirs && isSame(theirs, sent)) {
        // It had arrived, and its answer had not.
        this.#saved(sent, theirs);
        return true;
      }
      const state = theirs ? "conflict" : isPassing(error) ? "ready" : "refused";
      const now = this.get(id);
      if (now)
        this.#set({ ...now, state: now.state === "editing" && state === "ready" ? "editing" : state, problem, theirs });
      if (state !== "ready") return true;
      this.#attempts += 1;
      const wait = backOffMs(this.#attempts, Math.random());
      this.#clearRetry();
      this.#retry = this.#options.timers.setTimer(() => {
        this.#clearRetry();
        this.flush();
      }, wait);
      this.state.patch({ retryAt: Date.now() + wait });
      return false;
    }
  }

  #answer(request: Promise<CaptureInfo>): Promise<CaptureInfo> {
    const { setTimer, clearTimer } = this.#options.timers;
    return new Promise((resolve, reject) => {
      const late = (): void =>
        reject(new ApiError(0, "The server did not answer.", "See whether it is still running."));
      const timer = setTimer(late, ANSWER_MS);
      request.then(resolve, reject).finally(() => clearTimer(timer));
    });
  }

  /** What was changed while the request was on its way is sent next, as a change of what it has made. */
  #saved(sent: Unsaved, capture: CaptureInfo): void {
    const now = this.get(sent.id);
    if (now && (now.objects !== sent.objects || now.status !== sent.status)) {
      this.#set({ ...now, etag: capture.etag, problem: "" });
    } else this.discard(sent.id);
    this.onSaved(capture);
  }

  #clearRetry(): void {
    this.#options.timers.clearTimer(this.#retry ?? 0);
    this.#retry = undefined;
    if (this.state.value.retryAt !== undefined) this.state.patch({ retryAt: undefined });
  }

  #set(one: Unsaved): void {
    const { unsaved } = this.state.value;
    const isThere = unsaved.some(({ id }) => id === one.id);
    this.#keep(isThere ? unsaved.map((other) => (other.id === one.id ? one : other)) : [...unsaved, one]);
  }

  #keep(unsaved: readonly Unsaved[]): void {
    this.state.patch({ unsaved });
    const texts = unsaved.map((one) => JSON.stringify({ ...one, theirs: undefined }));
    // The newest that have room; a person is warned before the page with the others goes.
    while (texts.reduce((sum, text) => sum + text.length, 0) > MOST_STORED) texts.shift();
    try {
      this.#options.storage?.setItem(KEY, `[${texts.join(",")}]`);
    } catch {
      // There is no room in the browser's storage: they are kept as long as the page is.
    }
  }
}

/** The same problem would not be there at another time. */
function isPassing(error: unknown): boolean {
  if (!(error instanceof ApiError)) return true;
  return (
    error.status === 0 || error.status === 401 || error.status === 408 || error.status === 429 || error.status >= 500
  );
}

function sentenceOf(error: unknown): string {
  if (error instanceof ApiError) return `${error.message} ${error.hint}`.trim();
  return "The server's answer could not be read.";
}

function currentOf(error: unknown): CaptureInfo | undefined {
  if (!(error instanceof ApiError) || error.status !== 412) return undefined;
  return (error.answer as { readonly current?: CaptureInfo } | undefined)?.current;
}

function isSame(theirs: CaptureInfo, { objects, status }: Unsaved): boolean {
  const text = (of: Objects): string => JSON.stringify(of.map(({ bbox, label }) => [bbox, label]));
  return (status === undefined || theirs.status === status) && text(theirs.objects) === text(objects);
}

/** What a reload has interrupted, to be sent. What another version of the page has stored is left out where it is not of this form. */
function stored(storage: SavesOptions["storage"]): readonly Unsaved[] {
  try {
    const all = JSON.parse(storage?.getItem(KEY) ?? "[]") as readonly Partial<Unsaved>[];
    const usable = all.filter(
      ({ id, etag, objects }) => id !== undefined && etag !== undefined && Array.isArray(objects),
    );
    return usable.map((one) => ({ ...(one as Unsaved), state: "ready", problem: "" }));
  } catch {
    return [];
  }
}
