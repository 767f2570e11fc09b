// The review's state: which captures there are, which one is open, and the correction that a person works at.
import type { CaptureList, CaptureInfo, CapturePatch } from "../../captures/capture-schemas.ts";
import { ApiError } from "../api.ts";
import { Store } from "../store.ts";
import { draftOf, type Draft } from "./draft.ts";
import type { Saves, SavesApi } from "./saves.ts";

export type StatusFilter = CaptureInfo["status"] | "all";

export interface ReviewState {
  readonly filter: StatusFilter;
  readonly captures: readonly CaptureInfo[];
  /** There are more than are listed. */
  readonly next: string | undefined;
  readonly loading: boolean;
  readonly open: string | undefined;
  /** The open one where the list does not have it: the address named it. */
  readonly linked: CaptureInfo | undefined;
  /** The capture whose image is on the screen. Nothing of another one is shown, changed or accepted. */
  readonly shown: string | undefined;
  readonly draft: Draft;
  /** Of the last box that was drawn or named: most often the next one has the same label. */
  readonly lastLabel: string;
  /** Of all captures on the server, and those that were confirmed here. */
  readonly labels: readonly string[];
  readonly problem: string;
}

/** The part of the HTTP interface that the review needs. */
export interface ReviewApi extends SavesApi {
  captures(query: { status?: CaptureInfo["status"]; cursor?: string }): Promise<CaptureList>;
  capture(id: string): Promise<CaptureInfo>;
}

export class Review {
  readonly state: Store<ReviewState>;
  readonly saves: Saves;
  readonly #api: ReviewApi;

  constructor(api: ReviewApi, saves: Saves) {
    this.#api = api;
    this.saves = saves;
    saves.onSaved = (capture) => this.#learn(capture);
    const state: ReviewState = {
      filter: "new",
      captures: [],
      next: undefined,
      loading: false,
      open: undefined,
      linked: undefined,
      shown: undefined,
      draft: draftOf([]),
      lastLabel: "",
      labels: [],
      problem: "",
    };
    this.state = new Store(state);
  }

  get current(): CaptureInfo | undefined {
    const { captures, open, linked } = this.state.value;
    return captures.find(({ id }) => id === open) ?? (linked?.id === open ? linked : undefined);
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
      const { captures, labels } = this.state.value;
      const known = [...new Set([...labels, ...list.labels])];
      this.state.patch({ captures: [...captures, ...list.captures], next: list.next, labels: known });
    });
    this.state.patch({ loading: false });
  }

  /** What was worked at is saved, and what is opened is asked for once more: somebody else may have changed it. */
  open(id: string | undefined): void {
    if (id === this.state.value.open && id !== undefined) return;
    this.saves.flush();
    this.state.patch({ open: id, shown: undefined, problem: "" });
    this.state.patch({ draft: this.#draftOf(this.current) });
    if (id !== undefined) void this.#refresh(id);
  }

  /** The image of a capture is on the screen. */
  imageShown(id: string): void {
    if (id === this.state.value.open) this.state.patch({ shown: id });
  }

  /** Whether the open capture can be seen, and so corrected and accepted. */
  get isShown(): boolean {
    const { open, shown } = this.state.value;
    return open !== undefined && shown === open && this.current !== undefined;
  }

  /** The capture next to the open one, or undefined at either end. */
  neighbour(step: 1 | -1): string | undefined {
    const { captures, open } = this.state.value;
    const at = captures.findIndex(({ id }) => id === open);
    return at < 0 ? undefined : captures[at + step]?.id;
  }

  /** A step of the person's; it is saved a moment later. Nothing while the image is not shown. */
  edit(change: (draft: Draft) => Draft): void {
    const capture = this.current;
    if (!this.isShown || !capture) return;
    const { draft } = this.state.value;
    const changed = change(draft);
    this.state.patch({ draft: changed });
    if (changed.objects !== draft.objects) this.saves.put(capture, toWire(changed));
  }

  setLastLabel(lastLabel: string): void {
    const labels = [...new Set([...this.state.value.labels, lastLabel])];
    this.state.patch({ lastLabel, labels });
  }

  /** Accepts or skips the open capture with its objects as they are now. False while its image is not shown: nobody has seen it. */
  decide(status: "accepted" | "skipped" | "new"): boolean {
    const capture = this.current;
    if (!this.isShown || !capture) return false;
    this.saves.put(capture, toWire(this.state.value.draft), status);
    this.saves.flush();
    return true;
  }

  /** Of a conflict: what somebody else has saved takes the place of the correction. */
  takeTheirs(id: string): void {
    this.saves.takeTheirs(id);
    if (id === this.state.value.open) this.state.patch({ draft: this.#draftOf(this.current) });
  }

  /** Drops what has not been saved of a capture. */
  discard(id: string): void {
    this.saves.discard(id);
    if (id === this.state.value.open) this.state.patch({ draft: this.#draftOf(this.current) });
  }

  #draftOf(capture: CaptureInfo | undefined): Draft {
    return draftOf((capture && this.saves.get(capture.id)?.objects) ?? capture?.objects ?? []);
  }

  async #refresh(id: string): Promise<void> {
    const before = this.current;
    await this.#ask(async () => {
      const capture = await this.#api.capture(id);
      // What was saved or corrected meanwhile is newer.
      if (this.state.value.open !== id || this.saves.get(id) || this.current !== before) return;
      if (!before) this.state.patch({ linked: capture });
      if (before?.etag === capture.etag) return;
      this.#learn(capture);
      this.state.patch({ draft: this.#draftOf(capture) });
    }, before !== undefined);
  }

  /** A capture as the server has it. */
  #learn(capture: CaptureInfo): void {
    const { captures, linked } = this.state.value;
    this.state.patch({
      captures: captures.map((one) => (one.id === capture.id ? capture : one)),
      linked: linked?.id === capture.id ? capture : linked,
    });
  }

  async #ask(request: () => Promise<void>, quiet = false): Promise<void> {
    try {
      await request();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (!quiet || error.status === 404) this.state.patch({ problem: `${error.message} ${error.hint}`.trim() });
    }
  }
}

function toWire({ objects }: Draft): NonNullable<CapturePatch["objects"]> {
  return objects.map(({ bbox: [x, y, width, height], label }) => ({ bbox: [x, y, width, height], label }));
}
