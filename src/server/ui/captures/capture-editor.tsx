// One capture with its boxes under the hand: accept, skip, and everything that can be done to a box, by mouse or keys.
import { useEffect, useRef } from "preact/hooks";
import type { JSX } from "preact";
import type { CaptureInfo } from "../../captures/capture-schemas.ts";
import { useStore } from "../store.ts";
import { BoxCanvas } from "./box-canvas.tsx";
import { CapturePicture } from "./capture-picture.tsx";
import { redo, relabel, remove, select, selectNext, undo } from "./draft.ts";
import { actionOf, nudge, type Action } from "./keys.ts";
import { ObjectList } from "./object-list.tsx";
import type { Review } from "./review.ts";

interface CaptureEditorProps {
  readonly review: Review;
  readonly capture: CaptureInfo;
  readonly picture: (id: string, width?: number) => Promise<Blob>;
  readonly labels: readonly string[];
  readonly onOpen: (id: string | undefined) => void;
}

const SAVING = { saved: "saved", waiting: "not saved yet", saving: "saving…", failed: "not saved" } as const;

export function CaptureEditor({ review, capture, picture, labels, onOpen }: CaptureEditorProps): JSX.Element {
  const state = useStore(review.state);
  const { draft } = state;
  const labelField = useRef<HTMLInputElement>(null);

  const go = (step: 1 | -1): void => {
    const next = review.neighbour(step);
    if (next !== undefined) onOpen(next);
  };
  const decide = (status: "accepted" | "skipped"): void => {
    review.decide(status);
    const next = review.neighbour(1);
    onOpen(next);
  };
  const act = (action: Action): void => {
    const { selected } = review.state.value.draft;
    if (action.name === "accept") decide("accepted");
    else if (action.name === "skip") decide("skipped");
    else if (action.name === "go") go(action.step);
    else if (action.name === "select") review.edit((from) => selectNext(from, action.step));
    else if (action.name === "undo") review.edit(undo);
    else if (action.name === "redo") review.edit(redo);
    else if (action.name === "leave" && selected !== undefined) review.edit((from) => select(from, undefined));
    else if (action.name === "leave") onOpen(undefined);
    else if (action.name === "label") labelField.current?.focus();
    else if (action.name === "remove" && selected !== undefined) review.edit((from) => remove(from, selected));
    else if (action.name === "nudge" && selected !== undefined)
      review.edit((from) => nudge(from, selected, action, capture));
  };

  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const target = event.target as HTMLElement;
      if (target.closest("input, textarea, select, dialog")) return;
      // A button that has the focus keeps its own key.
      if (target.closest("button, a") && ["Enter", " ", "Tab"].includes(event.key)) return;
      const action = actionOf(event);
      if (!action) return;
      event.preventDefault();
      act(action);
    };
    globalThis.addEventListener("keydown", onKey);
    return () => globalThis.removeEventListener("keydown", onKey);
  });
  useEffect(() => () => review.flush(), [review]);

  const rename = (index: number, label: string): void => {
    review.edit((from) => relabel(from, index, label));
    review.setLastLabel(label);
  };
  return (
    <section class="review" data-capture={capture.id}>
      <header class="review-head">
        <button type="button" class="quiet" onClick={() => onOpen(undefined)} title="Escape">
          ‹ Captures
        </button>
        <h2>{capture.stream}</h2>
        <span class={`badge badge-${capture.status}`}>{capture.status}</span>
        <span class="help">
          {new Date(capture.time).toLocaleString()} · kept by {capture.reason} · proposals of {capture.model.name}
        </span>
        <span class="review-saving" role="status">
          {SAVING[state.saving]}
        </span>
      </header>
      {state.problem && (
        <p class="problem" role="alert">
          {state.problem}
        </p>
      )}
      <div class="review-body">
        <div class="review-picture" style={{ aspectRatio: `${capture.width} / ${capture.height}` }}>
          <CapturePicture id={capture.id} load={picture} alt={`Frame of ${capture.stream}`} />
          <BoxCanvas review={review} capture={capture} draft={draft} label={state.lastLabel || labels[0] || "object"} />
        </div>
        <aside class="review-side">
          <ObjectList
            draft={draft}
            labels={labels}
            field={labelField}
            onSelect={(index) => review.edit((from) => select(from, index))}
            onLabel={rename}
            onRemove={(index) => review.edit((from) => remove(from, index))}
          />
          <div class="card-actions">
            <button type="button" disabled={draft.past.length === 0} onClick={() => review.edit(undo)}>
              Undo
            </button>
            <button type="button" onClick={() => decide("skipped")}>
              Skip
            </button>
            <button type="button" class="primary" onClick={() => decide("accepted")}>
              Accept
            </button>
          </div>
          <p class="help">
            Drag to draw a box; drag a box or its sides to change it. <kbd>Enter</kbd> accept, <kbd>S</kbd> skip,{" "}
            <kbd>N</kbd> <kbd>P</kbd> next and previous, <kbd>Tab</kbd> next box, arrows move it (with <kbd>Alt</kbd>{" "}
            its size, with <kbd>Shift</kbd> ten pixels), <kbd>L</kbd> its label, <kbd>Del</kbd> away with it,{" "}
            <kbd>Ctrl Z</kbd> undo.
          </p>
        </aside>
      </div>
    </section>
  );
}
