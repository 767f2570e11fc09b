// All annotation jobs, as work that is done in the background.
import { countOf } from "../../count.ts";
import { MultiboxError } from "../../errors.ts";
import type { JobEvent } from "../protocol.ts";
import { RecordStore } from "../background/record-store.ts";
import type { Store } from "../database/store.ts";
import { BackgroundWork } from "../background/background-work.ts";
import { JobRecord } from "./job-record.ts";
import { keepResults } from "./job-results.ts";
import type { JobInfo, JobProgress } from "./job-schemas.ts";
import { type Work, type WorkOptions, workTimes } from "../background/work-kind.ts";

/** What is known of a job when its video is there. */
export type NewRecord = Pick<JobRecord, "video" | "path" | "options" | "settings" | "framesExpected">;

export type JobWork = Omit<Work<JobRecord, JobProgress>, "onChange">;

export type JobRunner = (work: JobWork) => Promise<Pick<JobRecord, "frames" | "detections" | "warnings">>;

export interface JobsOptions extends WorkOptions {
  readonly store: Store;
  readonly run: JobRunner;
}

/** In a job's folder. */
export const UPLOAD = "upload";

export class Jobs extends BackgroundWork<JobRecord, JobProgress, JobInfo, JobEvent> {
  constructor({ store, run, ...options }: JobsOptions) {
    super(options, {
      name: "job",
      input: UPLOAD,
      resumable: false,
      store: new RecordStore(store, "jobs", JobRecord),
      run,
      finish: async (record, folder) => {
        const results = record.state === "cancelled" ? [] : await keepResults(folder, record);
        return { change: { results }, keep: results.length > 0 };
      },
      info,
      event: (id, job) => ({ type: "job", id, ...(job && { job }) }),
      fields: ({ video }) => ({ video }),
      unknown: (id) =>
        new MultiboxError("JOB_UNKNOWN", `There is no job "${id}".`, "GET /v1/jobs lists those that there are."),
      full: (count) => {
        const sentence = `There ${count === 1 ? "is" : "are"} ${countOf(count, "job")}, ${count === 1 ? "not" : "none of them"} finished, and no more are taken.`;
        return new MultiboxError("JOBS_FULL", sentence, "Wait, cancel some, or raise jobMaxCount.");
      },
    });
  }

  /** Makes a job of what `receive` puts into the folder that it is given. Fails as `take` does, with JOBS_FULL where there are too many. */
  create(receive: (folder: string) => Promise<NewRecord>): Promise<JobInfo> {
    return this.take(async (folder, base) => ({ ...base, results: [], ...(await receive(folder)) }));
  }
}

function info(record: JobRecord, known: JobProgress = { phase: "starting", frames: 0 }): JobInfo {
  const { settings: _settings, framesExpected, ...told } = record;
  const progress = { ...known, ...(framesExpected !== undefined && { framesExpected }) };
  return { ...told, ...workTimes(record), ...(record.state === "running" && { progress }) } as JobInfo;
}
