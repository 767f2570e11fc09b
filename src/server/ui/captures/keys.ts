// What the keys of the review mean.
import type { Size } from "../../../annotate/drawing/layout.ts";
import { place, type Draft } from "./draft.ts";
import { dragged, type Point } from "./geometry.ts";

export type Action =
  | { readonly name: "accept" | "skip" | "undo" | "redo" | "leave" | "label" | "remove" | "draw" | "add" }
  | { readonly name: "go" | "select"; readonly step: 1 | -1 }
  | Nudge;

interface Nudge {
  readonly name: "nudge";
  readonly by: Point;
  /** The box keeps its place, and its right and lower sides move. */
  readonly resize: boolean;
}

type Key = Pick<KeyboardEvent, "key" | "shiftKey" | "altKey" | "ctrlKey" | "metaKey">;

const ARROWS: Readonly<Record<string, Point>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

const PLAIN: Readonly<Record<string, Action>> = {
  enter: { name: "accept" },
  a: { name: "accept" },
  s: { name: "skip" },
  n: { name: "go", step: 1 },
  p: { name: "go", step: -1 },
  l: { name: "label" },
  d: { name: "draw" },
  b: { name: "add" },
  delete: { name: "remove" },
  backspace: { name: "remove" },
  escape: { name: "leave" },
};

/** Undefined for keys that are the browser's: Tab moves the focus. */
export function actionOf({ key, shiftKey, altKey, ctrlKey, metaKey }: Key): Action | undefined {
  const lower = key.toLowerCase();
  // With Ctrl and Alt, or Alt, where a keyboard has them behind AltGr.
  if (key === "[" || key === "]") return { name: "select", step: key === "]" ? 1 : -1 };
  if (ctrlKey || metaKey) {
    if (lower === "z") return { name: shiftKey ? "redo" : "undo" };
    return lower === "y" ? { name: "redo" } : undefined;
  }
  const arrow = ARROWS[key];
  if (arrow) {
    const far = shiftKey ? 10 : 1;
    return { name: "nudge", by: [arrow[0] * far, arrow[1] * far], resize: altKey };
  }
  return altKey ? undefined : PLAIN[lower];
}

export function nudge(draft: Draft, index: number, { by, resize }: Nudge, picture: Size): Draft {
  return place(draft, index, dragged(draft.objects[index]!.bbox, resize ? "se" : "body", by, picture));
}
