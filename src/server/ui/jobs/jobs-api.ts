// Jobs over HTTP, as far as the page uses them. An upload says how far it is, which `fetch` cannot.
import type { JobInfo, JobList } from "../../jobs/job-schemas.ts";
import type { TicketAnswer } from "../../protocol.ts";
import { ApiError, type Call, errorOf } from "../api.ts";

export interface Upload {
  readonly done: Promise<JobInfo>;
  cancel(): void;
}

export interface JobsApi {
  jobs(cursor?: string): Promise<JobList>;
  /** Fields first, so that the server finds what is wrong with them before it has the file. `onSent` is called with 0..1. */
  upload(form: FormData, onSent: (share: number) => void): Upload;
  cancelJob(id: string): Promise<JobInfo>;
  removeJob(id: string): Promise<void>;
  /** An address that is good for one download, soon. */
  resultUrl(id: string, name: string): Promise<string>;
}

/** `base` is the page's address; the token may change while the page is open. */
export function createJobsApi(base: string, token: () => string | undefined, call: Call): JobsApi {
  const path = (id: string): string => `v1/jobs/${encodeURIComponent(id)}`;
  return {
    jobs: async (cursor) => {
      const search = new URLSearchParams({ limit: "50", ...(cursor !== undefined && { cursor }) });
      return (await (await call("GET", `v1/jobs?${search}`)).json()) as JobList;
    },
    upload: (form, onSent) => send(new URL("v1/jobs", base), form, token(), onSent),
    cancelJob: async (id) => (await (await call("POST", `${path(id)}/cancel`)).json()) as JobInfo,
    removeJob: async (id) => void (await call("DELETE", path(id))),
    resultUrl: async (id, name) => {
      const { ticket } = (await (await call("POST", "v1/tickets")).json()) as TicketAnswer;
      return new URL(`${path(id)}/results/${encodeURIComponent(name)}?ticket=${ticket}`, base).href;
    },
  };
}

function send(url: URL, form: FormData, token: string | undefined, onSent: (share: number) => void): Upload {
  const request = new XMLHttpRequest();
  const done = new Promise<JobInfo>((resolve, reject) => {
    request.upload.addEventListener("progress", ({ loaded, total }) => onSent(total > 0 ? loaded / total : 0));
    request.addEventListener("load", () => {
      const answer = parse(request.responseText);
      if (request.status === 202) resolve(answer as JobInfo);
      else reject(errorOf(request.status, answer));
    });
    request.addEventListener("error", () => {
      reject(new ApiError(0, "The upload broke off.", "See whether the server is still running, and try again."));
    });
    request.addEventListener("abort", () => reject(new ApiError(0, "The upload was cancelled.")));
  });
  request.open("POST", url);
  if (token !== undefined) request.setRequestHeader("authorization", `Bearer ${token}`);
  request.send(form);
  return { done, cancel: () => request.abort() };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
