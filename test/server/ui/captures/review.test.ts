import { describe, expect, it } from "vitest";
import type { CaptureInfo, CapturePatch } from "../../../../src/server/captures/capture-schemas.ts";
import { ApiError } from "../../../../src/server/ui/api.ts";
import { add, remove } from "../../../../src/server/ui/captures/draft.ts";
import { Review, type ReviewApi } from "../../../../src/server/ui/captures/review.ts";
import { Saves } from "../../../../src/server/ui/captures/saves.ts";

function capture(id: string): CaptureInfo {
  const when = { seq: 1, pts: 1, time: "2026-01-01T12:00:00.000Z" };
  const picture = { width: 100, height: 100, bytes: 1 };
  const model = { name: "m", version: "1" };
  const objects = [{ bbox: [0, 0, 10, 10] as [number, number, number, number], label: "dog" }];
  const etag = `${id}-1`;
  return { id, stream: "cam", ...when, reason: "every", ...picture, model, proposed: [], objects, status: "new", etag };
}

/** A storage of one tab. */
function memory() {
  const items = new Map<string, string>();
  return {
    getItem: (key: string) => items.get(key) ?? null,
    setItem: (key: string, text: string) => void items.set(key, text),
  };
}

/** A review of two captures whose requests are noted, and whose timers run when the test says so. */
function started({ storage = memory(), failures = [] as ApiError[] } = {}) {
  const sent: [string, CapturePatch, string][] = [];
  const timers = new Map<number, () => void>();
  let last = 0;
  const all = [capture("a"), capture("b")];
  const api: ReviewApi = {
    captures: () => Promise.resolve({ captures: all, total: 2, labels: ["dog"] }),
    capture: (id) => Promise.resolve(capture(id)),
    changeCapture: (id, patch, etag) => {
      sent.push([id, patch, etag]);
      const failure = failures.shift();
      return failure ? Promise.reject(failure) : Promise.resolve({ ...capture(id), ...patch, etag: `${id}-2` });
    },
  };
  const setTimer = (callback: () => void): number => {
    timers.set((last += 1), callback);
    return last;
  };
  const saves = new Saves({ api, timers: { setTimer, clearTimer: (timer) => void timers.delete(timer) }, storage });
  const review = new Review(api, saves);
  const fire = (): void => {
    const due = [...timers.values()];
    timers.clear();
    for (const callback of due) callback();
  };
  /** Opens a capture, whose image is then on the screen. */
  const open = async (id: string): Promise<void> => {
    if (review.state.value.captures.length === 0) await review.load();
    review.open(id);
    await settled();
    review.imageShown(id);
  };
  return { review, saves, sent, timers, fire, open };
}

const settled = (): Promise<unknown> => new Promise(setImmediate);
const CUP = { bbox: [20, 20, 10, 10], label: "cup" } as const;
const GONE = new ApiError(0, "The server did not answer.", "See whether it is still running.");

describe("Review", () => {
  it("saves a moment after the last of several steps, once, and names the state that was seen", async () => {
    const { review, saves, sent, timers, fire, open } = started();
    await open("a");
    review.edit((draft) => add(draft, CUP));
    review.edit((draft) => remove(draft, 0));
    expect(sent).toEqual([]);
    expect(timers.size).toBe(1);
    fire();
    await settled();
    expect(sent).toEqual([["a", { objects: [CUP] }, "a-1"]]);
    expect(saves.state.value.unsaved).toEqual([]);
    expect(review.current).toMatchObject({ objects: [CUP], etag: "a-2" });
  });

  it("saves what waits before another capture is opened", async () => {
    const { review, sent, open } = started();
    await open("a");
    review.edit((draft) => remove(draft, 0));
    await open("b");
    expect(sent).toEqual([["a", { objects: [] }, "a-1"]]);
    expect(review.state.value.draft.objects).toHaveLength(1);
  });

  it("accepts with the boxes as they are", async () => {
    const { review, sent, open } = started();
    await open("a");
    review.edit((draft) => add(draft, CUP));
    review.decide("accepted");
    await settled();
    expect(sent).toEqual([["a", { status: "accepted", objects: [...capture("a").objects, CUP] }, "a-1"]]);
    expect(review.current?.status).toBe("accepted");
    expect(review.neighbour(1)).toBe("b");
    expect(review.neighbour(-1)).toBeUndefined();
  });

  it("neither changes nor accepts a capture whose image is not on the screen", async () => {
    const { review, sent, open } = started();
    await open("a");
    review.open("b");
    // The image of the capture before is late, too.
    review.imageShown("a");
    review.edit((draft) => remove(draft, 0));
    expect(review.decide("accepted")).toBe(false);
    await settled();
    expect(sent).toEqual([]);
    expect(review.state.value.draft.objects).toHaveLength(1);
  });

  it("keeps what could not be saved under its own capture, over a reload too, and sends it again", async () => {
    const storage = memory();
    const { review, saves, fire, sent, open } = started({ storage, failures: [GONE, GONE] });
    await open("a");
    review.edit((draft) => add(draft, CUP));
    review.decide("accepted");
    review.open("b");
    await settled();
    expect(saves.get("a")).toMatchObject({
      state: "ready",
      status: "accepted",
      problem: `${GONE.message} ${GONE.hint}`,
    });
    expect(saves.state.value.retryAt).toBeGreaterThan(0);
    expect(review.state.value.problem).toBe("");

    const again = started({ storage });
    await again.open("a");
    expect(again.review.state.value.draft.objects).toHaveLength(2);
    again.saves.retry();
    await settled();
    expect(again.sent).toEqual([["a", { status: "accepted", objects: [...capture("a").objects, CUP] }, "a-1"]]);
    expect(again.saves.state.value.unsaved).toEqual([]);

    fire();
    await settled();
    fire();
    await settled();
    expect(sent).toHaveLength(3);
    expect(saves.state.value).toEqual({ unsaved: [], retryAt: undefined });
  });

  const theirs = { ...capture("a"), objects: [], status: "accepted", etag: "a-9" } as const;
  const conflict = (): ApiError => new ApiError(412, "It has been changed.", "", { current: theirs });

  it("a correction of somebody else's is a conflict, in which theirs may be taken", async () => {
    const { review, saves, sent, open } = started({ failures: [conflict()] });
    await open("a");
    review.edit((draft) => add(draft, CUP));
    saves.flush();
    await settled();
    expect(saves.get("a")).toMatchObject({ state: "conflict", theirs });
    review.takeTheirs("a");
    expect([review.current, review.state.value.draft.objects]).toEqual([theirs, []]);
    expect(sent).toHaveLength(1);
    expect(saves.state.value.unsaved).toEqual([]);
  });

  it("a conflict in which one's own correction is kept replaces the state that was shown", async () => {
    const { review, saves, sent, open } = started({ failures: [conflict()] });
    await open("a");
    review.edit((draft) => add(draft, CUP));
    saves.flush();
    await settled();
    saves.keepMine("a");
    await settled();
    expect(sent.at(-1)).toEqual(["a", { objects: [...capture("a").objects, CUP] }, "a-9"]);
    expect(saves.state.value.unsaved).toEqual([]);
  });

  it("a save that had arrived without its answer is no conflict; one that is refused does not hold up others", async () => {
    const arrived = new ApiError(412, "It has been changed.", "", { current: { ...capture("a"), objects: [] } });
    const refused = new ApiError(400, "The box does not lie in the image.");
    const { review, saves, open } = started({ failures: [arrived, refused] });
    await open("a");
    review.edit((draft) => remove(draft, 0));
    saves.flush();
    await settled();
    expect(saves.state.value.unsaved).toEqual([]);
    for (const id of ["a", "b"]) {
      await open(id);
      review.edit((draft) => add(draft, CUP));
    }
    saves.flush();
    await settled();
    expect(saves.state.value.unsaved).toMatchObject([{ id: "a", state: "refused", problem: refused.message }]);
  });
});
