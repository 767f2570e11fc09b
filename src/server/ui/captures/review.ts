// The review's state: which captures there are, which one is open, and what goes to the server as one works.
import type { CaptureList, CaptureInfo, CapturePatch } from "../../captures/capture-schemas.ts";
import { ApiError } from "../api.ts";
import { Store } from "../store.ts";
import { draftOf, type Draft } from "./draft.ts";

export type StatusFilter = CaptureInfo["status"] | "all";

export interface ReviewState {
  readonly filter: StatusFilter;
  readonly captures: readonly CaptureInfo[];
  /** There are more than are listed. */
  readonly next: string | undefined;
  readonly loading: boolean;
  readonly open: string | undefined;
  readonly draft: Draft;
  /** Of the last box that was drawn or named: most often the next one is of the same kind. */
  readonly lastLabel: string;
  readonly saving: "saved" | "waiting" | "saving" | "failed";
  readonly problem: string;
}

/** The part of the HTTP interface that the review needs. */
export interface ReviewApi {
  captures(query: { status?: CaptureInfo["status"]; cursor?: string }): Promise<CaptureList>;
  changeCapture(id: string, patch: CapturePatch): Promise<CaptureInfo>;
  removeCapture(id: string): Promise<void>;
}

export interface ReviewTimers {
  readonly setTimer: (callback: () => void, ms: number) => number;
  readonly clearTimer: (timer: number) => void;
}

/** Steps that follow each other closely are one request. */
const SAVE_AFTER_MS = 400;

export class Review {
  readonly state: Store<ReviewState>;
  readonly #api: ReviewApi;
  readonly #timers: ReviewTimers;
  #timer: number | undefined;
  /** Requests go one after the other, so that the last one counts. */
  #last: Promise<void> = Promise.resolve();

  constructor(api: ReviewApi, timers: ReviewTimers) {
    this.#api = api;
    this.#timers = timers;
    const state: ReviewState = {
      filter: "new",
      captures: [],
      next: undefined,
      loading: false,
      open: undefined,
      draft: draftOf([]),
      lastLabel: "",
      saving: "saved",
      problem: "",
    };
    this.state = new Store(state);
  }

  get current(): CaptureInfo | undefined {
    const { captures, open } = this.state.value;
    return captures.find(({ id }) => id === open);
  }

  async load(filter: StatusFilter = this.state.value.filter): Promise<void> {
    this.state.patch({ filter, captures: [], next: undefined });
    await this.more();
  }

  /** The next page of the list. */
  async more(): Promise<void> {
    const { filter, next } = this.state.value;
    this.state.patch({ loading: true, problem: "" });
    const status = filter === "all" ? {} : { status: filter };
    await this.#ask(async () => {
      const list = await this.#api.captures({ ...status, ...(next !== undefined && { cursor: next }) });
      if (this.state.value.filter !== filter) return;
      this.state.patch({ captures: [...this.state.value.captures, ...list.captures], next: list.next });
    });
    this.state.patch({ loading: false });
  }

  open(id: string | undefined): void {
    this.flush();
    const capture = this.state.value.captures.find((other) => other.id === id);
    this.state.patch({ open: capture?.id, draft: draftOf(capture?.objects ?? []), problem: "" });
  }

  /** The capture so many places on, or undefined at either end. */
  neighbour(step: 1 | -1): string | undefined {
    const { captures, open } = this.state.value;
    const at = captures.findIndex(({ id }) => id === open);
    return at < 0 ? undefined : captures[at + step]?.id;
  }

  /** A step of the person's; it is saved a moment later. */
  edit(change: (draft: Draft) => Draft): void {
    const { draft } = this.state.value;
    const changed = change(draft);
    this.state.patch({ draft: changed });
    if (changed.objects === draft.objects) return;
    this.state.patch({ saving: "waiting" });
    this.#timers.clearTimer(this.#timer ?? 0);
    this.#timer = this.#timers.setTimer(() => this.flush(), SAVE_AFTER_MS);
  }

  setLastLabel(lastLabel: string): void {
    this.state.patch({ lastLabel });
  }

  /** Sends what waits, at once. */
  flush(): void {
    if (this.#timer === undefined) return;
    this.#timers.clearTimer(this.#timer);
    this.#timer = undefined;
    const { open, draft } = this.state.value;
    if (open !== undefined) this.#save(open, { objects: toWire(draft) });
  }

  /** Accepts or skips the open capture with its objects as they are now. */
  decide(status: "accepted" | "skipped" | "new"): void {
    this.#timers.clearTimer(this.#timer ?? 0);
    this.#timer = undefined;
    const { open, draft } = this.state.value;
    if (open !== undefined) this.#save(open, { status, objects: toWire(draft) });
  }

  async remove(id: string): Promise<void> {
    await this.#ask(async () => {
      await this.#api.removeCapture(id);
      this.state.patch({ captures: this.state.value.captures.filter((capture) => capture.id !== id) });
    });
  }

  #save(id: string, patch: CapturePatch): void {
    this.state.patch({ saving: "saving" });
    this.#last = this.#last.then(async () => {
      const ok = await this.#ask(async () => {
        const changed = await this.#api.changeCapture(id, patch);
        const captures = this.state.value.captures.map((capture) => (capture.id === id ? changed : capture));
        this.state.patch({ captures });
      });
      if (this.#timer === undefined) this.state.patch({ saving: ok ? "saved" : "failed" });
    });
  }

  async #ask(request: () => Promise<void>): Promise<boolean> {
    try {
      await request();
      return true;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.state.patch({ problem: `${error.message} ${error.hint}`.trim() });
      return false;
    }
  }
}

function toWire({ objects }: Draft): NonNullable<CapturePatch["objects"]> {
  return objects.map(({ bbox: [x, y, width, height], label }) => ({ bbox: [x, y, width, height], label }));
}
