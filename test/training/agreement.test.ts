// How far people followed proposals, counted by hand.
import { expect, test } from "vitest";
import { agreementOf } from "../../src/training/agreement.ts";
import type { Capture } from "../../src/training/capture.ts";

type Tuple = [number, number, number, number];
const A: Tuple = [0, 0, 10, 10];
const B: Tuple = [50, 0, 10, 10];
const MOVED: Tuple = [1, 0, 10, 10];

function capture(proposed: readonly [Tuple, string][], objects: readonly [Tuple, string][], fields = {}): Capture {
  return {
    id: "a",
    stream: "yard",
    seq: 1,
    pts: 0,
    time: "2026-01-01T00:00:00.000Z",
    reason: "call",
    width: 100,
    height: 100,
    bytes: 1,
    hash: "0".repeat(16),
    model: { name: "m", version: "1" },
    proposed: proposed.map(([bbox, label]) => ({ bbox, label, score: 0.5 })),
    objects: objects.map(([bbox, label]) => ({ bbox, label })),
    status: "accepted",
    ...fields,
  };
}

test("kept, moved, deleted, relabelled and drawn boxes are counted, of accepted captures alone", () => {
  const same: [Tuple, string][] = [
    [A, "car"],
    [B, "car"],
  ];
  const captures = [
    capture(same, same.toReversed()),
    capture([], []),
    capture(same, [
      [MOVED, "car"],
      [B, "bus"],
    ]),
    // The exact box is kept, though the moved one overlaps it too.
    capture(
      [[A, "car"]],
      [
        [MOVED, "car"],
        [A, "car"],
      ],
    ),
    capture(same, [], { status: "new" }),
    capture(same, [], { status: "skipped" }),
    capture([], same, { reason: "import" }),
  ];
  expect(agreementOf(captures)).toEqual({
    captures: 4,
    unchanged: 2,
    proposals: 5,
    kept: 4,
    moved: 1,
    removed: 1,
    added: 2,
  });
  expect(agreementOf([])).toMatchObject({ captures: 0, proposals: 0 });
});
