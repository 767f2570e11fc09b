// Asks before a job is cancelled, or deleted with what it has made.
import type { JSX } from "preact";
import { countOf } from "../../../count.ts";
import type { JobInfo } from "../../jobs/job-schemas.ts";
import { Confirm } from "../confirm.tsx";

interface JobQuestionProps {
  readonly job: JobInfo;
  readonly what: "cancel" | "delete";
  /** Fails with an ApiError. */
  readonly run: () => Promise<void>;
  readonly onClose: () => void;
}

export function JobQuestion({ job, what, run, onClose }: JobQuestionProps): JSX.Element {
  const words =
    what === "delete"
      ? { title: `Delete the job of ${job.video}?`, action: "Delete", doing: "Deleting…", keep: "Keep" }
      : {
          title: `Cancel the job of ${job.video}?`,
          action: "Cancel the job",
          doing: "Cancelling…",
          keep: "Continue it",
        };
  return (
    <Confirm {...words} danger run={run} onClose={onClose}>
      <p>{what === "delete" ? deleted(job) : "What it has made so far is not kept."}</p>
    </Confirm>
  );
}

function deleted({ results }: JobInfo): string {
  if (results.length === 0) return "It has no results. Its entry is removed.";
  return `Its ${countOf(results.length, "result is", "results are")} deleted from the server, and cannot be restored.`;
}
