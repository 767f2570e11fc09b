// The view Captures: what is to be looked through, and the editor for the one that is open.
import { useEffect, useState } from "preact/hooks";
import type { JSX } from "preact";
import { countOf } from "../../../count.ts";
import { useStore } from "../store.ts";
import { CaptureEditor } from "./capture-editor.tsx";
import type { LiveState } from "../live.ts";
import type { ProposalBoard } from "./proposal-board.ts";
import { ProposalStatus, ProposeButton } from "./propose-boxes.tsx";
import { CapturePicture } from "./capture-picture.tsx";
import type { ImageCache } from "./image-cache.ts";
import type { Review, StatusFilter } from "./review.ts";

interface CapturesViewProps {
  readonly review: Review;
  readonly proposals: ProposalBoard;
  readonly live: Pick<LiveState, "phase" | "hello">;
  readonly images: ImageCache;
  /** The JPEG of a capture, at most so many pixels wide. */
  readonly picture: (id: string, width?: number) => Promise<Blob>;
  /** The labels of the model. */
  readonly labels: readonly string[];
  /** As the address names it. */
  readonly open: string | undefined;
  readonly onOpen: (id: string | undefined) => void;
}

const FILTERS: readonly (readonly [StatusFilter, string])[] = [
  ["new", "To review"],
  ["accepted", "Accepted"],
  ["skipped", "Skipped"],
  ["all", "All"],
];
const THUMBNAIL = 320;

export function CapturesView({
  review,
  proposals,
  live,
  images,
  picture,
  labels,
  open,
  onOpen,
}: CapturesViewProps): JSX.Element {
  const state = useStore(review.state);
  const [loaded, setLoaded] = useState(false);
  useEffect(() => {
    void review.load().then(() => setLoaded(true));
  }, [review]);
  useEffect(() => {
    if (loaded) review.open(open);
  }, [review, open, loaded]);
  const isConnected = live.phase.name === "open";
  useEffect(() => {
    // Also on the way back from the editor, where captures are accepted.
    if (isConnected && open === undefined) void proposals.load();
  }, [proposals, isConnected, open]);
  const scope = isConnected ? live.hello?.scope : undefined;
  const current = review.current;
  if (current)
    return <CaptureEditor review={review} capture={current} images={images} labels={labels} onOpen={onOpen} />;
  return (
    <section class="captures">
      <div class="toolbar">
        <div class="segments" role="group" aria-label="Which captures">
          {FILTERS.map(([filter, name]) => (
            <button
              key={filter}
              type="button"
              aria-pressed={state.filter === filter}
              onClick={() => void review.load(filter)}
            >
              {name}
            </button>
          ))}
        </div>
        <ProposeButton board={proposals} own={live.hello?.model.name} scope={scope} />
      </div>
      <ProposalStatus
        board={proposals}
        mayChange={scope !== undefined && scope !== "read"}
        onEnd={() => void Promise.all([review.load(), proposals.load()])}
      />
      {state.problem && (
        <p class="problem" role="alert">
          {state.problem}
        </p>
      )}
      {!state.loading && state.captures.length === 0 && (
        <div class="empty">
          <h2>{state.filter === "new" ? "Nothing to review" : "No captures here"}</h2>
          <p class="help">
            Frames are kept by the rules of a stream (its setting capture), or one at a time with the button Capture of
            a stream in Live.
          </p>
        </div>
      )}
      <ul class="capture-list">
        {state.captures.map((capture) => (
          <li key={capture.id}>
            <button type="button" class="capture-card" data-capture={capture.id} onClick={() => onOpen(capture.id)}>
              <CapturePicture id={capture.id} width={THUMBNAIL} load={picture} alt={`Frame of ${capture.stream}`} />
              <span class="capture-card-line">
                <b>{capture.stream}</b>
                <span class={`badge badge-${capture.status}`}>{capture.status}</span>
              </span>
              <span class="help">
                {new Date(capture.time).toLocaleString()} · {capture.reason} ·{" "}
                {countOf(capture.objects.length, "object")}
              </span>
            </button>
          </li>
        ))}
      </ul>
      {state.next !== undefined && (
        <p>
          <button type="button" disabled={state.loading} onClick={() => void review.more()}>
            More
          </button>
        </p>
      )}
    </section>
  );
}
