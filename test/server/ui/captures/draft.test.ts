import { describe, expect, it } from "vitest";
import * as drafts from "../../../../src/server/ui/captures/draft.ts";
import { actionOf, nudge } from "../../../../src/server/ui/captures/keys.ts";

const DOG = { bbox: [0, 0, 10, 10], label: "dog" } as const;
const CAT = { bbox: [20, 20, 10, 10], label: "cat" } as const;

describe("draft", () => {
  it("undoes and does again every kind of step", () => {
    let draft = drafts.draftOf([DOG]);
    const states = [draft.objects];
    const steps = [
      (from: drafts.Draft) => drafts.add(from, CAT),
      (from: drafts.Draft) => drafts.place(from, 1, [30, 20, 10, 10]),
      (from: drafts.Draft) => drafts.relabel(from, 0, "wolf"),
      (from: drafts.Draft) => drafts.remove(from, 0),
    ];
    for (const step of steps) {
      draft = step(draft);
      states.push(draft.objects);
    }
    expect(draft.objects).toEqual([{ bbox: [30, 20, 10, 10], label: "cat" }]);
    for (const before of states.slice(0, -1).reverse()) {
      draft = drafts.undo(draft);
      expect(draft.objects).toEqual(before);
    }
    expect(drafts.undo(draft)).toBe(draft);
    for (const after of states.slice(1)) {
      draft = drafts.redo(draft);
      expect(draft.objects).toEqual(after);
    }
    expect(drafts.redo(draft)).toBe(draft);
  });

  it("forgets what was undone once something else is done", () => {
    const undone = drafts.undo(drafts.add(drafts.draftOf([DOG]), CAT));
    expect(drafts.redo(drafts.relabel(undone, 0, "wolf")).objects).toEqual([{ ...DOG, label: "wolf" }]);
  });

  it("counts no step where nothing changes", () => {
    const draft = drafts.draftOf([DOG]);
    expect(drafts.place(draft, 0, [0, 0, 10, 10])).toBe(draft);
    expect(drafts.relabel(draft, 0, "dog")).toBe(draft);
  });

  it("goes round the boxes in both directions", () => {
    const draft = drafts.draftOf([DOG, CAT]);
    expect(drafts.selectNext(draft, 1).selected).toBe(0);
    expect(drafts.selectNext(draft, -1).selected).toBe(1);
    expect(drafts.selectNext({ ...draft, selected: 1 }, 1).selected).toBe(0);
    expect(drafts.selectNext(drafts.draftOf([]), 1).selected).toBeUndefined();
  });
});

describe("keys", () => {
  const key = (name: string, changes: object = {}): ReturnType<typeof actionOf> =>
    actionOf({ key: name, shiftKey: false, altKey: false, ctrlKey: false, metaKey: false, ...changes });

  it("has an action for each", () => {
    expect([key("Enter"), key("s"), key("N"), key("p"), key("Delete")].map((action) => action?.name)).toEqual([
      "accept",
      "skip",
      "go",
      "go",
      "remove",
    ]);
    expect(key("z", { ctrlKey: true })).toEqual({ name: "undo" });
    expect(key("Z", { metaKey: true, shiftKey: true })).toEqual({ name: "redo" });
    expect(key("[")).toEqual({ name: "select", step: -1 });
    expect(key("]", { ctrlKey: true, altKey: true })).toEqual({ name: "select", step: 1 });
    expect([key("d")?.name, key("b")?.name]).toEqual(["draw", "add"]);
    // The browser's own: it moves the focus.
    expect(key("Tab")).toBeUndefined();
    expect(key("c", { ctrlKey: true })).toBeUndefined();
  });

  it("moves a box by a pixel or ten, and its size with Alt", () => {
    const picture = { width: 100, height: 100 };
    const draft = drafts.draftOf([CAT]);
    const after = (name: string, changes: object): unknown => {
      const action = key(name, changes);
      return action?.name === "nudge" && nudge(draft, 0, action, picture).objects[0]!.bbox;
    };
    expect(after("ArrowLeft", {})).toEqual([19, 20, 10, 10]);
    expect(after("ArrowDown", { shiftKey: true })).toEqual([20, 30, 10, 10]);
    expect(after("ArrowRight", { altKey: true })).toEqual([20, 20, 11, 10]);
  });
});
