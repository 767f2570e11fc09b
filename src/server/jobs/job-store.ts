// The jobs in multibox.db, so that they are there after a restart.
import { z } from "zod";
import { ErrorBody } from "../error-body.ts";
import { type Store, storeError } from "../store.ts";
import { JobOptions, JobResult, JobState, JobWarning } from "./job-schemas.ts";

const Milliseconds = z.number().describe("Since the epoch.");

/** A job as it is kept. */
export const JobRecord = z.object({
  id: z.string(),
  video: z.string().describe("The file's name; an upload lies under it in the job's folder."),
  path: z.string().optional().describe("Absolute; absent for an upload."),
  options: JobOptions,
  settings: z
    .array(z.string())
    .describe(
      "Arguments for the model and the engine as they were when the job was made, so that it goes on as it began.",
    ),
  framesExpected: z.int().optional(),
  state: JobState,
  created: Milliseconds,
  started: Milliseconds.optional(),
  ended: Milliseconds.optional(),
  frames: z.int().optional(),
  detections: z.int().optional(),
  warnings: z.array(JobWarning).optional(),
  error: ErrorBody.optional(),
  results: z.array(JobResult),
});
export type JobRecord = z.infer<typeof JobRecord>;

export class JobStore {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** In the order in which they were made. One that cannot be read is told to `onWarning` and left alone. */
  load(onWarning: (sentence: string) => void): JobRecord[] {
    const rows = this.#store.db.prepare("SELECT id, record FROM jobs ORDER BY id").raw().all() as [string, string][];
    return rows.flatMap(([id, json]) => {
      const record = JobRecord.safeParse(parse(json));
      if (!record.success) onWarning(`The job ${id} cannot be read.`);
      return record.success ? [record.data] : [];
    });
  }

  /** Of all, readable or not. */
  ids(): string[] {
    return (this.#store.db.prepare("SELECT id FROM jobs").raw().all() as [string][]).map(([id]) => id);
  }

  /** Fails with STORE_UNAVAILABLE or STORE_DAMAGED. */
  put(record: JobRecord): void {
    this.#run(
      "INSERT INTO jobs VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET state = excluded.state, record = excluded.record",
      record.id,
      record.state,
      JSON.stringify(record),
    );
  }

  /** Fails likewise. */
  delete(id: string): void {
    this.#run("DELETE FROM jobs WHERE id = ?", id);
  }

  #run(sql: string, ...values: readonly string[]): void {
    try {
      this.#store.db.prepare(sql).run(...values);
    } catch (error) {
      throw storeError(error, "multibox.db");
    }
  }
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
