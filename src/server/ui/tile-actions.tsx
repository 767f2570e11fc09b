// The buttons of a tile: to full size and back, on to the next stream; and those that change it, for whoever may.
import type { JSX } from "preact";
import { CaptureButton } from "./captures/capture-button.tsx";
import type { PageLive } from "./page-live.ts";
import { stepTo } from "./route.ts";
import type { StreamView } from "./streams.ts";

/** What a dialog asks about a stream. */
export type Question = "edit" | "remove";

interface TileActionsProps {
  readonly live: PageLive;
  readonly stream: StreamView;
  readonly full: boolean;
  /** All streams in their order. */
  readonly ids: readonly string[];
  readonly onOpen: (stream: string | undefined) => void;
  /** Undefined where the token allows only to look. */
  readonly onAsk: ((what: Question, stream: string) => void) | undefined;
}

export function TileActions({ live, stream, full, ids, onOpen, onAsk }: TileActionsProps): JSX.Element {
  const { id, state } = stream;
  const paused = state === "paused";
  const step = (key: string, name: string, sign: string): JSX.Element => {
    const at = ids.indexOf(id);
    const next = stepTo(key, at, ids.length, 1)!;
    return (
      <button type="button" class="quiet" aria-label={name} disabled={next === at} onClick={() => onOpen(ids[next])}>
        {sign}
      </button>
    );
  };
  return (
    <span class="tile-actions">
      {full && ids.length > 1 && (
        <>
          {step("ArrowLeft", "Previous stream", "‹")}
          {step("ArrowRight", "Next stream", "›")}
        </>
      )}
      <button
        type="button"
        class="quiet"
        aria-label={full ? "Back to all streams" : `Enlarge ${id}`}
        title={full ? "Escape" : "Enter"}
        onClick={() => onOpen(full ? undefined : id)}
      >
        {full ? "Back" : "Enlarge"}
      </button>
      {onAsk && (
        <>
          <CaptureButton stream={id} onCapture={(of) => live.capture(of)} />
          <button
            type="button"
            class="quiet"
            aria-label={`${paused ? "Resume" : "Pause"} ${id}`}
            title={paused ? "Decode and detect again" : "Decode nothing of it, for everyone, until it is resumed"}
            onClick={() => void live.setPaused(id, !paused)}
          >
            {paused ? "Resume" : "Pause"}
          </button>
          <button type="button" class="quiet" aria-label={`Edit ${id}`} onClick={() => onAsk("edit", id)}>
            Edit
          </button>
          <button type="button" class="quiet" aria-label={`Remove ${id}`} onClick={() => onAsk("remove", id)}>
            Remove
          </button>
        </>
      )}
    </span>
  );
}
