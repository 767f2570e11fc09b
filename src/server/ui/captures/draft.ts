// A capture's objects while a person corrects them, with every step undone and done again. Values in, values out.
import type { EditBox } from "./geometry.ts";

export interface DraftObject {
  readonly bbox: EditBox;
  readonly label: string;
}

export interface Draft {
  readonly objects: readonly DraftObject[];
  readonly selected: number | undefined;
  readonly past: readonly (readonly DraftObject[])[];
  readonly future: readonly (readonly DraftObject[])[];
}

export function draftOf(objects: readonly DraftObject[]): Draft {
  return { objects, selected: undefined, past: [], future: [] };
}

export function select(draft: Draft, selected: number | undefined): Draft {
  return { ...draft, selected };
}

/** The next box, or the one before; around the end. */
export function selectNext(draft: Draft, step: 1 | -1): Draft {
  const count = draft.objects.length;
  if (count === 0) return draft;
  const from = draft.selected ?? (step > 0 ? -1 : 0);
  return select(draft, (from + step + count) % count);
}

/** The new object is selected. */
export function add(draft: Draft, object: DraftObject): Draft {
  return { ...stepped(draft, [...draft.objects, object]), selected: draft.objects.length };
}

/** Moves or resizes. */
export function place(draft: Draft, index: number, bbox: EditBox): Draft {
  const { objects } = draft;
  if (objects[index]!.bbox.every((value, i) => value === bbox[i])) return draft;
  return stepped(draft, objects.with(index, { ...objects[index]!, bbox }));
}

export function relabel(draft: Draft, index: number, label: string): Draft {
  const { objects } = draft;
  return objects[index]!.label === label ? draft : stepped(draft, objects.with(index, { ...objects[index]!, label }));
}

export function remove(draft: Draft, index: number): Draft {
  return { ...stepped(draft, draft.objects.toSpliced(index, 1)), selected: undefined };
}

export function undo(draft: Draft): Draft {
  const objects = draft.past.at(-1);
  if (!objects) return draft;
  return { objects, selected: undefined, past: draft.past.slice(0, -1), future: [...draft.future, draft.objects] };
}

export function redo(draft: Draft): Draft {
  const objects = draft.future.at(-1);
  if (!objects) return draft;
  return { objects, selected: undefined, past: [...draft.past, draft.objects], future: draft.future.slice(0, -1) };
}

function stepped(draft: Draft, objects: readonly DraftObject[]): Draft {
  return { objects, selected: draft.selected, past: [...draft.past, draft.objects], future: [] };
}
