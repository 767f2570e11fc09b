// The view Jobs: drop a video, watch how far it is, download what came out.
import { useEffect } from "preact/hooks";
import type { JSX } from "preact";
import type { LiveState } from "../live.ts";
import type { PageLive } from "../page-live.ts";
import { useStore } from "../store.ts";
import type { JobBoard } from "./job-board.ts";
import { JobCard } from "./job-card.tsx";
import { NewJob } from "./new-job.tsx";

interface JobsViewProps {
  readonly board: JobBoard;
  readonly live: PageLive;
  readonly state: Pick<LiveState, "phase" | "hello">;
}

export function JobsView({ board, live, state }: JobsViewProps): JSX.Element {
  const { jobs, next, uploads, problem } = useStore(board.state);
  const isOpen = state.phase.name === "open";
  useEffect(() => {
    if (!isOpen) return undefined;
    const end = live.watch("jobs", (event) => board.onEvent(event));
    void board.load();
    return end;
  }, [board, live, isOpen]);
  const mayChange = state.hello?.scope !== "read";
  return (
    <section class="jobs">
      {mayChange && <NewJob onUpload={(parts, name) => void board.upload(parts, name)} />}
      {problem && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      <ul class="job-list">
        {uploads.map(({ id, name, share }) => (
          <li key={id} class="job">
            <div class="job-head">
              <b class="job-name">{name}</b>
              <span class="badge badge-job-queued">uploading</span>
              <button type="button" class="quiet" onClick={() => board.cancelUpload(id)}>
                Cancel
              </button>
            </div>
            <p class="help">{share < 1 ? `${Math.floor(share * 100)} % sent` : "Sent; the server looks at it"}</p>
            <progress aria-label={`Upload of ${name}`} max={1} value={share} />
          </li>
        ))}
        {jobs?.map((job) => (
          <JobCard
            key={job.id}
            job={job}
            mayChange={mayChange}
            onCancel={() => board.cancel(job.id)}
            onRemove={() => board.remove(job.id)}
            onDownload={(name) => void board.download(job.id, name, follow)}
          />
        ))}
      </ul>
      {jobs?.length === 0 && uploads.length === 0 && (
        <div class="empty">
          <h2>No jobs yet</h2>
          <p class="help">
            A job finds the objects in every frame of a video, and writes them in the forms that are chosen.
          </p>
        </div>
      )}
      {next !== undefined && (
        <p>
          <button type="button" onClick={() => void board.more()}>
            More
          </button>
        </p>
      )}
    </section>
  );
}

/** The answer says that it is to be saved, so the page stays. */
function follow(url: string): void {
  const link = document.createElement("a");
  link.href = url;
  link.download = "";
  link.click();
}
