// Somebody else has changed the capture that is corrected here: both states side by side, and which of them stays.
import type { JSX } from "preact";
import { countOf } from "../../../count.ts";
import type { Review } from "./review.ts";
import type { Unsaved } from "./saves.ts";

interface ConflictProps {
  readonly review: Review;
  readonly mine: Unsaved;
  readonly showsTheirs: boolean;
  readonly onShowTheirs: (shows: boolean) => void;
}

export function Conflict({ review, mine, showsTheirs, onShowTheirs }: ConflictProps): JSX.Element | null {
  const { theirs } = mine;
  if (!theirs) return null;
  return (
    <div class="notice notice-warn conflict" role="alert">
      <p>
        Somebody else has changed this capture since you opened it. Theirs: {theirs.status},{" "}
        {boxes(theirs.objects.length)}. Yours, not saved: {mine.status ?? "same status"}, {boxes(mine.objects.length)}.
      </p>
      <label>
        <input type="checkbox" checked={showsTheirs} onChange={(event) => onShowTheirs(event.currentTarget.checked)} />{" "}
        Show their boxes (dashed)
      </label>
      <div class="card-actions">
        <button type="button" onClick={() => review.takeTheirs(mine.id)}>
          Take theirs
        </button>
        <button type="button" onClick={() => review.saves.keepMine(mine.id)}>
          Keep mine
        </button>
      </div>
    </div>
  );
}

function boxes(count: number): string {
  return countOf(count, "box", "boxes");
}
