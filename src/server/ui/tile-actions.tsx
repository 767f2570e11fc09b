// The buttons of a tile: to full size and back, on to the next stream, and away with it.
import type { JSX } from "preact";
import { CaptureButton } from "./captures/capture-button.tsx";
import { stepTo } from "./route.ts";

interface TileActionsProps {
  readonly id: string;
  readonly full: boolean;
  /** All streams in their order. */
  readonly ids: readonly string[];
  readonly onOpen: (stream: string | undefined) => void;
  readonly onCapture: (stream: string) => Promise<void>;
  readonly onRemove: (stream: string) => void;
}

export function TileActions({ id, full, ids, onOpen, onCapture, onRemove }: TileActionsProps): JSX.Element {
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
      <CaptureButton stream={id} onCapture={onCapture} />
      <button type="button" class="quiet" aria-label={`Remove ${id}`} onClick={() => onRemove(id)}>
        Remove
      </button>
    </span>
  );
}
