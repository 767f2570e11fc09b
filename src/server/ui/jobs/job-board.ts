// The page's state of jobs: the list, what is being uploaded, and how the server's messages change both.
import type { JobInfo } from "../../jobs/job-schemas.ts";
import type { JobEvent } from "../../protocol.ts";
import { ApiError } from "../api.ts";
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
  #lastUpload = 0;

  constructor(api: JobsApi) {
    this.#api = api;
  }

  /** Asks for the list, after the page has begun to hear of changes, so that none falls between. */
  load(): Promise<void> {
    return this.#try(async () => {
      const { jobs, next } = await this.#api.jobs();
      this.state.patch({ jobs, next, problem: "" });
    });
  }

  more(): Promise<void> {
    return this.#try(async () => {
      const { jobs, next } = await this.#api.jobs(this.state.value.next);
      this.state.patch({ jobs: jobs.reduce(withJob, this.state.value.jobs ?? []), next });
    });
  }

  onEvent({ id, job }: JobEvent): void {
    const { jobs } = this.state.value;
    if (jobs) this.state.patch({ jobs: job ? withJob(jobs, job) : jobs.filter((one) => one.id !== id) });
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
      this.state.patch({ jobs: withJob(this.state.value.jobs ?? [], job) });
    }, name);
    this.#uploads.delete(id);
    this.state.patch({ uploads: this.state.value.uploads.filter((one) => one.id !== id) });
  }

  cancelUpload(id: number): void {
    this.#uploads.get(id)?.cancel();
  }

  cancel(id: string): Promise<void> {
    return this.#try(async () => this.onEvent({ type: "job", id, job: await this.#api.cancelJob(id) }));
  }

  remove(id: string): Promise<void> {
    return this.#try(async () => {
      await this.#api.removeJob(id);
      this.onEvent({ type: "job", id });
    });
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

/** In its place; a new one where its id, which begins with its time, puts it. What ended is not begun again by a message that is older. */
export function withJob(jobs: readonly JobInfo[], job: JobInfo): readonly JobInfo[] {
  const at = jobs.findIndex(({ id }) => id === job.id);
  if (at < 0) return [...jobs, job].sort((a, b) => (a.id < b.id ? 1 : -1));
  return isOver(jobs[at]!) && !isOver(job) ? jobs : jobs.with(at, job);
}

export function isOver({ state }: Pick<JobInfo, "state">): boolean {
  return state !== "queued" && state !== "running";
}
