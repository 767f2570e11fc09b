// The page's state of jobs: the list, what is being uploaded, and how the server's messages change both.
import type { JobInfo } from "../../jobs/job-schemas.ts";
import type { JobEvent } from "../../protocol.ts";
import { ApiError } from "../api.ts";
import { Overheard, withWork } from "../background.ts";
import { Store } from "../store.ts";
import type { JobsApi, Upload } from "./jobs-api.ts";

export interface Uploading {
  readonly id: number;
  readonly name: string;
  /** 0..1 */
  readonly share: number;
}

export interface BoardState {
  /** Newest first; undefined before the first list. */
  readonly jobs: readonly JobInfo[] | undefined;
  readonly next: string | undefined;
  readonly uploads: readonly Uploading[];
  /** A sentence about the last thing that went wrong; empty while all is well. */
  readonly problem: string;
}

export class JobBoard {
  readonly state = new Store<BoardState>({ jobs: undefined, next: undefined, uploads: [], problem: "" });
  readonly #api: JobsApi;
  readonly #uploads = new Map<number, Upload>();
  readonly #overheard = new Overheard<JobEvent>();
  #lastUpload = 0;

  constructor(api: JobsApi) {
    this.#api = api;
  }

  /** Asks for the list, after the page has begun to hear of changes, so that none falls between. */
  load(): Promise<void> {
    return this.#try(async () => {
      const { answer, heard } = await this.#overheard.during(() => this.#api.jobs());
      this.state.patch({ jobs: answer.jobs, next: answer.next, problem: "" });
      for (const event of heard) this.onEvent(event);
    });
  }

  more(): Promise<void> {
    return this.#try(async () => {
      const { jobs, next } = await this.#api.jobs(this.state.value.next);
      const all = jobs.reduce((known, job) => withWork(known, job), this.state.value.jobs ?? []);
      this.state.patch({ jobs: all, next });
    });
  }

  onEvent(event: JobEvent): void {
    this.#overheard.note(event);
    const { id, job } = event;
    const { jobs } = this.state.value;
    if (jobs) this.state.patch({ jobs: job ? withWork(jobs, job) : jobs.filter((one) => one.id !== id) });
  }

  async upload(form: FormData, name: string): Promise<void> {
    const id = (this.#lastUpload += 1);
    const put = (share: number): void => {
      const others = this.state.value.uploads.filter((one) => one.id !== id);
      this.state.patch({ uploads: [...others, { id, name, share }].sort((a, b) => a.id - b.id) });
    };
    put(0);
    this.state.patch({ problem: "" });
    const upload = this.#api.upload(form, put);
    this.#uploads.set(id, upload);
    await this.#try(async () => {
      const job = await upload.done;
      this.#overheard.note({ type: "job", id: job.id, job });
      this.state.patch({ jobs: withWork(this.state.value.jobs ?? [], job) });
    }, name);
    this.#uploads.delete(id);
    this.state.patch({ uploads: this.state.value.uploads.filter((one) => one.id !== id) });
  }

  cancelUpload(id: number): void {
    this.#uploads.get(id)?.cancel();
  }

  /** Fails with an ApiError; so does `remove`. */
  async cancel(id: string): Promise<void> {
    this.onEvent({ type: "job", id, job: await this.#api.cancelJob(id) });
  }

  async remove(id: string): Promise<void> {
    await this.#api.removeJob(id);
    this.onEvent({ type: "job", id });
  }

  /** Hands the address of a result to whatever downloads it. */
  download(id: string, name: string, open: (url: string) => void): Promise<void> {
    return this.#try(async () => open(await this.#api.resultUrl(id, name)));
  }

  async #try(work: () => Promise<void>, about?: string): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const problem = `${error.message} ${error.hint}`.trim();
      this.state.patch({ problem: about === undefined ? problem : `${about}: ${problem}` });
    }
  }
}
