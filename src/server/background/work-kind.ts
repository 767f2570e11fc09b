// What any work in the background has, and what tells one kind of it from another.
import type { Logger } from "pino";
import type { SchedulerLike } from "rxjs";
import type { MultiboxError } from "../../errors.ts";
import type { ErrorBody } from "../api/error-body.ts";
import type { Quarantine } from "../quarantine.ts";
import type { Retention } from "../retention.ts";
import type { RecordStore } from "./record-store.ts";
import { isoTime } from "../streams/streams.ts";
import type { JobState } from "../jobs/job-schemas.ts";

export interface WorkLimits {
  /** Most that run at once. */
  readonly maxRunning: number;
  /** Most that there are, finished ones and those that are being made among them. */
  readonly maxCount: number;
}

/** What is kept of any work. Times are milliseconds since the epoch. */
export interface WorkRecord {
  readonly id: string;
  readonly state: JobState;
  readonly created: number;
  readonly started?: number | undefined;
  readonly ended?: number | undefined;
  readonly error?: ErrorBody | undefined;
}

export interface Work<R, P> {
  readonly record: R;
  readonly folder: string;
  /** Ends it soon: what is done is kept, and the same work can be run again. */
  readonly signal: AbortSignal;
  readonly onProgress: (progress: P) => void;
  /** What is to be known of it after a restart, too. */
  readonly onChange: (change: Partial<R>) => void;
}

/** What tells one kind of work from another. */
export interface WorkKind<R extends WorkRecord, P, I, E> {
  /** `job`, in the log. */
  readonly name: string;
  /** In a work's folder: what it works on. Removed when it has ended, unless it can be gone on with. */
  readonly input: string;
  readonly store: RecordStore<R>;
  readonly run: (work: Work<R, P>) => Promise<Partial<R>>;
  /** Whether one that has failed can be gone on with, when a person has mended the cause: then its whole folder stays. */
  readonly resumable: boolean;
  /** Of the folder only what can be downloaded stays. Returns what the record says of that, and whether there is anything. */
  readonly finish: (record: R, folder: string) => Promise<{ readonly change: Partial<R>; readonly keep: boolean }>;
  /** `progress`: undefined before there is any. */
  readonly info: (record: R, progress: P | undefined) => I;
  readonly event: (id: string, info?: I) => E;
  /** For the log. */
  readonly fields: (record: R) => object;
  readonly unknown: (id: string) => MultiboxError;
  readonly full: (count: number) => MultiboxError;
}

export interface WorkOptions {
  /** In the data folder: a folder for each work. */
  readonly folder: string;
  /** The data folder; that which `folder` is in when absent. */
  readonly root?: string;
  readonly limits: WorkLimits;
  /** Takes folders that no record names; without it they stay. */
  readonly quarantine?: Pick<Quarantine, "take">;
  /** Of those that have ended; none is deleted for its age without it. */
  readonly retention?: Pick<Retention, "cutoff" | "allowance" | "deleted">;
  readonly logger: Logger;
  readonly clock: SchedulerLike;
}

/** The times of a record as they are told. */
export function workTimes({ created, started, ended }: WorkRecord): {
  created: string;
  started?: string;
  ended?: string;
} {
  return {
    created: isoTime(created),
    ...(started !== undefined && { started: isoTime(started) }),
    ...(ended !== undefined && { ended: isoTime(ended) }),
  };
}
