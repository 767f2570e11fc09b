import { describe, expect, it } from "vitest";
import type { CaptureInfo, CapturePatch } from "../../../../src/server/captures/capture-schemas.ts";
import { ApiError } from "../../../../src/server/ui/api.ts";
import { add, remove } from "../../../../src/server/ui/captures/draft.ts";
import { Review, type ReviewApi } from "../../../../src/server/ui/captures/review.ts";

function capture(id: string): CaptureInfo {
  const when = { seq: 1, pts: 1, time: "2026-01-01T12:00:00.000Z" };
  const picture = { width: 100, height: 100, bytes: 1 };
  const model = { name: "m", version: "1" };
  const objects = [{ bbox: [0, 0, 10, 10] as [number, number, number, number], label: "dog" }];
  return { id, stream: "cam", ...when, reason: "every", ...picture, model, proposed: [], objects, status: "new" };
}

/** A review of two captures whose requests are noted, and whose timers run when the test says so. */
function started(failing?: ApiError) {
  const sent: [string, CapturePatch][] = [];
  const timers = new Map<number, () => void>();
  const all = [capture("a"), capture("b")];
  const api: ReviewApi = {
    captures: () => Promise.resolve({ captures: all, total: 2 }),
    changeCapture: (id, patch) => {
      sent.push([id, patch]);
      return failing ? Promise.reject(failing) : Promise.resolve({ ...capture(id), ...patch });
    },
    removeCapture: () => Promise.resolve(),
  };
  const review = new Review(api, {
    setTimer: (callback) => {
      timers.set(timers.size + 1, callback);
      return timers.size;
    },
    clearTimer: (timer) => void timers.delete(timer),
  });
  const fire = (): void => {
    for (const callback of timers.values()) callback();
  };
  return { review, sent, timers, fire };
}

const CUP = { bbox: [20, 20, 10, 10], label: "cup" } as const;

describe("Review", () => {
  it("saves a moment after the last of several steps, once", async () => {
    const { review, sent, timers, fire } = started();
    await review.load();
    review.open("a");
    review.edit((draft) => add(draft, CUP));
    review.edit((draft) => remove(draft, 0));
    expect(sent).toEqual([]);
    expect(timers.size).toBe(1);
    fire();
    await new Promise(setImmediate);
    expect(sent).toEqual([["a", { objects: [CUP] }]]);
    expect(review.state.value.saving).toBe("saved");
    expect(review.current?.objects).toEqual([CUP]);
  });

  it("saves what waits before another capture is opened", async () => {
    const { review, sent } = started();
    await review.load();
    review.open("a");
    review.edit((draft) => remove(draft, 0));
    review.open("b");
    await new Promise(setImmediate);
    expect(sent).toEqual([["a", { objects: [] }]]);
    expect(review.state.value.draft.objects).toHaveLength(1);
  });

  it("accepts with the boxes as they are", async () => {
    const { review, sent } = started();
    await review.load();
    review.open("a");
    review.edit((draft) => add(draft, CUP));
    review.decide("accepted");
    await new Promise(setImmediate);
    expect(sent).toEqual([["a", { status: "accepted", objects: [...capture("a").objects, CUP] }]]);
    expect(review.current?.status).toBe("accepted");
    expect(review.neighbour(1)).toBe("b");
    expect(review.neighbour(-1)).toBeUndefined();
  });

  it("says in the server's words what could not be saved, and keeps the work", async () => {
    const { review } = started(new ApiError(507, "There is no space left.", "Free some."));
    await review.load();
    review.open("a");
    review.edit((draft) => add(draft, CUP));
    review.flush();
    await new Promise(setImmediate);
    expect(review.state.value).toMatchObject({ saving: "failed", problem: "There is no space left. Free some." });
    expect(review.state.value.draft.objects).toHaveLength(2);
  });
});
