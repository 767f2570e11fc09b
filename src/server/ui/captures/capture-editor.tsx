// One capture with its boxes to be corrected: accept, skip, and everything that can be done to a box, by pointer or keys.
import { useEffect, useRef, useState } from "preact/hooks";
import type { JSX } from "preact";
import type { CaptureInfo } from "../../captures/capture-schemas.ts";
import { useStore } from "../store.ts";
import { BoxCanvas } from "./box-canvas.tsx";
import { Conflict } from "./conflict.tsx";
import { add, redo, relabel, remove, select, selectNext, undo } from "./draft.ts";
import { EditorHelp } from "./editor-help.tsx";
import { middleBox } from "./geometry.ts";
import type { ImageCache } from "./image-cache.ts";
import { actionOf, nudge, type Action } from "./keys.ts";
import { ObjectList } from "./object-list.tsx";
import type { Review } from "./review.ts";
import { ReviewImage } from "./review-image.tsx";
import type { Unsaved } from "./saves.ts";

interface CaptureEditorProps {
  readonly review: Review;
  readonly capture: CaptureInfo;
  readonly images: ImageCache;
  /** Of the model. */
  readonly labels: readonly string[];
  readonly onOpen: (id: string | undefined) => void;
}

export function CaptureEditor({ review, capture, images, labels, onOpen }: CaptureEditorProps): JSX.Element {
  const { draft, shown, lastLabel, labels: others, problem } = useStore(review.state);
  const { unsaved } = useStore(review.saves.state);
  const [drawing, setDrawing] = useState(false);
  const [showsTheirs, setShowsTheirs] = useState(true);
  const labelField = useRef<HTMLInputElement>(null);
  const stage = useRef<HTMLDivElement>(null);
  /** A new label waits for an answer. */
  const asking = useRef(false);
  const isShown = shown === capture.id;
  const mine = unsaved.find(({ id }) => id === capture.id);
  const known = [...new Set([...labels, ...others, ...draft.objects.map(({ label }) => label)])];
  const label = lastLabel || labels[0] || "object";

  /** The keys are the image's: a button that was pressed is not pressed again by the next Enter. */
  const focusImage = (): void => stage.current?.focus({ preventScroll: true });
  const open = (id: string | undefined): void => {
    if (asking.current) return;
    // At once, and not when the address has changed: the next key is meant for the next capture.
    review.open(id);
    onOpen(id);
  };
  const go = (step: 1 | -1): void => {
    const next = review.neighbour(step);
    if (next !== undefined) open(next);
  };
  const decide = (status: "accepted" | "skipped"): void => {
    const next = review.neighbour(1);
    if (!asking.current && review.decide(status)) open(next);
  };
  const act = (action: Action): void => {
    const { selected } = review.state.value.draft;
    if (action.name === "go") return go(action.step);
    if (action.name === "leave" && (selected === undefined || !isShown)) return open(undefined);
    if (!isShown) return;
    if (action.name === "accept") decide("accepted");
    else if (action.name === "skip") decide("skipped");
    else if (action.name === "select") review.edit((from) => selectNext(from, action.step));
    else if (action.name === "undo") review.edit(undo);
    else if (action.name === "redo") review.edit(redo);
    else if (action.name === "leave") review.edit((from) => select(from, undefined));
    else if (action.name === "draw") setDrawing(!drawing);
    else if (action.name === "add") review.edit((from) => add(from, { bbox: middleBox(capture), label }));
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
      if (target.closest("button, a") && ["Enter", " "].includes(event.key)) return;
      const action = actionOf(event);
      if (!action) return;
      event.preventDefault();
      // A key that is held down decides once: each image is to be looked at.
      if (event.repeat && (action.name === "accept" || action.name === "skip")) return;
      act(action);
    };
    globalThis.addEventListener("keydown", onKey);
    return () => globalThis.removeEventListener("keydown", onKey);
  });
  // Left for another view, nothing is open any more.
  useEffect(() => () => review.open(undefined), [review]);
  useEffect(() => {
    asking.current = false;
  }, [capture.id]);
  useEffect(() => {
    if (!isShown) return;
    if (document.activeElement === document.body) focusImage();
    for (const id of [review.neighbour(1), review.neighbour(-1)]) images.prefetch(id);
  }, [review, images, isShown, capture.id]);

  const onClick = (event: MouseEvent): void => {
    const isButton = (event.target as Element).closest("button") !== null;
    if (isButton && !document.activeElement?.closest("input, dialog")) focusImage();
  };
  const rename = (index: number, to: string): void => {
    review.edit((from) => (from.objects[index] ? relabel(from, index, to) : from));
    review.setLastLabel(to);
  };
  return (
    <section class="review" data-capture={capture.id} onClick={onClick}>
      <header class="review-head">
        <button type="button" class="quiet" onClick={() => open(undefined)} title="Escape">
          ‹ Captures
        </button>
        {isShown && (
          <>
            <h2>{capture.stream}</h2>
            <span class={`badge badge-${mine?.status ?? capture.status}`}>{mine?.status ?? capture.status}</span>
            <span class="help">
              {new Date(capture.time).toLocaleString()} · kept by {capture.reason} · proposals of {capture.model.name}
            </span>
          </>
        )}
        <span class="review-saving" role="status">
          {savingOf(mine)}
        </span>
      </header>
      {problem && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      {isShown && mine?.state === "conflict" && (
        <Conflict review={review} mine={mine} showsTheirs={showsTheirs} onShowTheirs={setShowsTheirs} />
      )}
      <div class="review-body">
        <div
          ref={stage}
          tabIndex={0}
          role="group"
          aria-label={isShown ? `Image of ${capture.stream}` : "Image"}
          class="review-picture"
          style={{ aspectRatio: `${capture.width} / ${capture.height}` }}
        >
          <ReviewImage
            id={capture.id}
            images={images}
            alt={`Frame of ${capture.stream}`}
            onShown={(id) => review.imageShown(id)}
          />
          {isShown && (
            <BoxCanvas
              review={review}
              capture={capture}
              draft={draft}
              label={label}
              drawing={drawing}
              theirs={showsTheirs ? mine?.theirs?.objects : undefined}
            />
          )}
        </div>
        <aside class="review-side">
          {isShown && (
            <ObjectList
              key={capture.id}
              draft={draft}
              labels={known}
              field={labelField}
              onSelect={(index) => review.edit((from) => select(from, index))}
              onLabel={rename}
              onRemove={(index) => review.edit((from) => remove(from, index))}
              onDone={focusImage}
              onAsking={(isAsking) => void (asking.current = isAsking)}
            />
          )}
          <div class="card-actions">
            <button type="button" aria-pressed={drawing} disabled={!isShown} onClick={() => setDrawing(!drawing)}>
              Draw
            </button>
            <button type="button" disabled={!isShown || draft.past.length === 0} onClick={() => review.edit(undo)}>
              Undo
            </button>
            <button type="button" disabled={!isShown} onClick={() => decide("skipped")}>
              Skip
            </button>
            <button type="button" class="primary" disabled={!isShown} onClick={() => decide("accepted")}>
              Accept
            </button>
          </div>
          <EditorHelp />
        </aside>
      </div>
    </section>
  );
}

function savingOf(mine: Unsaved | undefined): string {
  if (!mine) return "saved";
  if (mine.problem !== "" || mine.state === "conflict") return "not saved";
  return mine.state === "editing" ? "not saved yet" : "saving…";
}
