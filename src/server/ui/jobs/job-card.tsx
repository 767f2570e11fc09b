// One job: how far it is, what there is to download, and what can be done with it.
import { useState } from "preact/hooks";
import type { JSX } from "preact";
import type { JobInfo } from "../../jobs/job-schemas.ts";
import { isOver } from "../background.ts";
import { formatBytes, lineOf, shareOf } from "./job-words.ts";

interface JobCardProps {
  readonly job: JobInfo;
  readonly mayChange: boolean;
  readonly onCancel: () => Promise<void>;
  readonly onRemove: () => Promise<void>;
  readonly onDownload: (name: string) => void;
}

export function JobCard({ job, mayChange, onCancel, onRemove, onDownload }: JobCardProps): JSX.Element {
  const [busy, setBusy] = useState(false);
  const over = isOver(job);
  const act = (): void => {
    setBusy(true);
    void (over ? onRemove() : onCancel()).finally(() => setBusy(false));
  };
  return (
    <li class="job" data-job={job.id}>
      <div class="job-head">
        <b class="job-name">{job.video}</b>
        <span class={`badge badge-job-${job.state}`}>{job.state}</span>
        {mayChange && (
          <button type="button" class="quiet" disabled={busy} onClick={act}>
            {over ? "Delete" : "Cancel"}
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
    </li>
  );
}
