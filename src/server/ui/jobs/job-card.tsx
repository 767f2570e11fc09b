// One job: how far it is, what there is to download, and what can be done with it.
import { useState } from "preact/hooks";
import type { JSX } from "preact";
import type { JobInfo } from "../../jobs/job-schemas.ts";
import { isOver } from "../background.ts";
import { JobQuestion } from "./job-question.tsx";
import { formatBytes, lineOf, shareOf } from "./job-words.ts";

interface JobCardProps {
  readonly job: JobInfo;
  readonly mayChange: boolean;
  readonly onCancel: () => Promise<void>;
  readonly onRemove: () => Promise<void>;
  readonly onDownload: (name: string) => void;
}

export function JobCard({ job, mayChange, onCancel, onRemove, onDownload }: JobCardProps): JSX.Element {
  const [asked, setAsked] = useState<"cancel" | "delete" | undefined>();
  const over = isOver(job);
  return (
    <li class="job" data-job={job.id}>
      <div class="job-head">
        <b class="job-name">{job.video}</b>
        <span class={`badge badge-job-${job.state}`}>{job.state}</span>
        {mayChange && !over && (
          <button type="button" class="quiet" aria-label={`Cancel ${job.video}`} onClick={() => setAsked("cancel")}>
            Cancel
          </button>
        )}
      </div>
      <p class="help">
        {lineOf(job)}
        {over && job.ended !== undefined && `${lineOf(job) === "" ? "" : " · "}${new Date(job.ended).toLocaleString()}`}
      </p>
      {job.state === "running" && <progress aria-label={`Progress of ${job.video}`} max={1} value={shareOf(job)} />}
      {job.error && (
        <p class="problem" role="alert">
          {job.error.message} {job.error.hint}
        </p>
      )}
      {job.warnings?.map(({ message }) => (
        <p key={message} class="help">
          {message}
        </p>
      ))}
      {job.results.length > 0 && (
        <ul class="job-results" aria-label={`Results of ${job.video}`}>
          {job.results.map(({ name, form, bytes }) => (
            <li key={name}>
              <button type="button" title={name} onClick={() => onDownload(name)}>
                {form} <span class="help">{formatBytes(bytes)}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
      {mayChange && over && (
        <p class="job-foot">
          <button type="button" class="quiet" aria-label={`Delete ${job.video}`} onClick={() => setAsked("delete")}>
            Delete
          </button>
        </p>
      )}
      {asked && (
        <JobQuestion
          job={job}
          what={asked}
          run={asked === "delete" ? onRemove : onCancel}
          onClose={() => setAsked(undefined)}
        />
      )}
    </li>
  );
}
