// What the page makes of models and trainings: messages, epochs that are asked for once each, words and figures, and the form's request.
import { expect, test } from "vitest";
import type { TrainingDetail, TrainingInfo } from "../../../../src/server/trainings/training-schemas.ts";
import { ApiError } from "../../../../src/server/ui/api.ts";
import { askedBy } from "../../../../src/server/ui/models/confirm-words.ts";
import { ModelBoard } from "../../../../src/server/ui/models/model-board.ts";
import { figureOf, lineOf, percent, shareOf, sourceOf } from "../../../../src/server/ui/models/model-words.ts";
import type { ModelsApi } from "../../../../src/server/ui/models/models-api.ts";
import { requestOf } from "../../../../src/server/ui/models/training-form.ts";

function training(change: Partial<TrainingInfo> = {}): TrainingInfo {
  const facts = { id: "1", state: "running", name: "yard", from: "yard@2", captures: 12 } as const;
  return { ...facts, settings: {}, created: "2026-11-25T03:26:49.042Z", ...change };
}

const refused = (status: number, sentence: string) => (): Promise<never> =>
  Promise.reject(new ApiError(status, sentence, "Do this."));

test("epochs are asked for once each, a failed training goes on, and what is deleted meanwhile is no problem", async () => {
  const asked: string[] = [];
  const detail = { ...training(), history: [] } as TrainingDetail;
  const api = {
    models: () => Promise.resolve([]),
    trainings: () => Promise.resolve([training()]),
    captures: refused(403, "Not yours."),
    training: (id: string) => {
      asked.push(id);
      return asked.length > 3 ? refused(404, "Gone.")() : Promise.resolve(detail);
    },
  };
  const board = new ModelBoard(api as unknown as ModelsApi);
  await board.load();
  expect(board.state.value).toMatchObject({
    trainings: [{ id: "1" }],
    counts: undefined,
    problem: "Not yours. Do this.",
  });
  const tell = (change: Partial<TrainingInfo>): void =>
    board.onEvent({ type: "training", id: "1", training: training(change) });
  const progress = { phase: "training", epoch: 1, seconds: 1 } as const;
  tell({ progress });
  expect(asked).toEqual([]);
  for (const epoch of [1, 1, 2]) tell({ progress: { ...progress, epoch }, metrics: { AP: 0.1 }, bestEpoch: 0 });
  expect(asked).toHaveLength(2);
  tell({ state: "failed", metrics: { AP: 0.1 }, bestEpoch: 0 });
  await expect.poll(() => board.state.value.epochs.get("1")).toEqual([]);
  tell({ progress: { ...progress, epoch: 2 }, metrics: { AP: 0.1 }, bestEpoch: 0 });
  expect([asked.length, board.state.value.trainings![0]!.state]).toEqual([4, "running"]);
  await Promise.resolve();
  expect(board.state.value.problem).toBe("Not yours. Do this.");
  board.onEvent({ type: "training", id: "1" });
  expect(board.state.value.trainings).toEqual([]);
});

test("what is told while the list is asked for is newer than the list", async () => {
  let answer: (list: TrainingInfo[]) => void = () => {};
  const list = new Promise<TrainingInfo[]>((resolve) => {
    answer = resolve;
  });
  const none = { models: () => Promise.resolve([]), captures: () => Promise.resolve(0) };
  const board = new ModelBoard({ ...none, trainings: () => list } as unknown as ModelsApi);
  const loading = board.load();
  await expect.poll(() => board.state.value.counts).toBeDefined();
  board.onEvent({ type: "training", id: "2", training: training({ id: "2" }) });
  board.onEvent({ type: "training", id: "1" });
  answer([training()]);
  await loading;
  expect(board.state.value.trainings!.map(({ id }) => id)).toEqual(["2"]);
});

test("how far a training is, and what it came to, is told in words", () => {
  const running = (progress: TrainingInfo["progress"]): TrainingInfo => training({ progress });
  const step = { epoch: 5, epochs: 20, step: 480, steps: 1920, boxLoss: 0.4123, classLoss: 1, secondsLeft: 192 };
  const lines = [
    lineOf(training({ state: "queued" })),
    lineOf(running({ phase: "starting", seconds: 0 })),
    lineOf(running({ phase: "looking", pictures: { done: 40, total: 120 }, seconds: 1 })),
    lineOf(running({ phase: "training", epoch: 0, epochs: 20, step: 0, steps: 1920, seconds: 2 })),
    lineOf(running({ phase: "training", ...step, seconds: 3 })),
    lineOf(training({ state: "done", version: 3, bestEpoch: 0, offered: false })),
    lineOf(training({ state: "failed" })),
  ];
  expect(lines).toEqual([
    "Waits for its turn",
    "Starting",
    "Reads the images: 40 of 120",
    "Judges what it begins with",
    "Epoch 5 of 20 · step 480 of 1,920 · loss 0.412 box + 1.000 class · 3:12 left",
    "Made version 3 of yard: nothing was learned, no epoch was better than the start; kept, but not offered",
    "",
  ]);
  const split = { by: "time", training: 45, validation: 12, gap: 3, streams: 1 } as const;
  expect(sourceOf(training({ captures: 60, pictures: { training: 45, validation: 12 }, split }))).toBe(
    "60 captures: 45 to train on, 12 to validate, 3 in the gap between (the last in time)",
  );
  expect(shareOf(running({ phase: "training", ...step, seconds: 3 }))).toBe(0.25);
  expect([percent(0.3471), percent(undefined), percent(-1)]).toEqual(["34.7", "–", "–"]);
  expect([figureOf("AP", { AP: 0.3 }, { AP: 0.25 }), figureOf("AP", { AP: 0.3 }, { AP: 0.35 })]).toEqual([
    "30.0 (+5.0)",
    "30.0 (−5.0)",
  ]);
  const worse = { offered: false, metrics: { AP: 0.3 }, parentMetrics: { AP: 0.35 } } as never;
  const asked = askedBy({ what: "activate", name: "yard", version: 3, facts: worse }, false);
  expect(asked).toMatchObject({ danger: true, action: "Activate all the same" });
  expect(asked.sentences[0]).toContain("AP 30.0 instead of 35.0");
  const verdict = { outcome: "not judged", reason: "3 validation images say too little.", images: 3, objects: 9 };
  const unjudged = { ...(worse as object), verdict } as never;
  const doubted = askedBy({ what: "activate", name: "yard", version: 3, facts: unjudged }, false);
  expect([doubted.danger, doubted.sentences[0]]).toEqual([true, verdict.reason]);
  expect(lineOf(training({ state: "done", version: 3, offered: false, verdict: verdict as never }))).toBe(
    "Made version 3 of yard; kept, but not judged: there are too few validation images or objects",
  );
  expect(askedBy({ what: "activate", name: "yard", version: 3 }, false)).toMatchObject({ danger: false });
  expect(askedBy({ what: "activate", name: "yard", version: 3 }, true)).toMatchObject({ danger: true });
});

test("fields that were left as they are have the server's defaults", () => {
  const form = new Map([
    ["epochs", " 5 "],
    ["lr", "1e-3"],
    ["name", ""],
    ["from", "yard@2"],
    ["freeze", "none"],
    ["splitBy", "day"],
    ["nearIdentical", ""],
    ["labels", "all"],
  ]);
  const get = (name: string): string | null => form.get(name) ?? null;
  expect(requestOf({ get })).toEqual({
    from: "yard@2",
    settings: { epochs: 5, lr: 0.001, splitBy: "day", labels: "all", freeze: "none" },
  });
  // All labels are kept unless a person says otherwise.
  expect(requestOf({ get: () => null }).settings).toEqual({ labels: "all", freeze: "base" });
  expect(requestOf({ get: (name) => (name === "labels" ? "data" : null) }).settings?.labels).toBe("data");
});
