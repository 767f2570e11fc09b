// Every way that source and target can lie to each other gives the same bytes.
import { expect, test } from "vitest";
import { createSharedCopy } from "../../src/pipeline/shared-copy.ts";

test.each([
  ["shared", (bytes: number) => new Uint8Array(new SharedArrayBuffer(bytes))],
  ["ordinary", (bytes: number) => new Uint8Array(bytes)],
])("copies into %s memory, however the bytes lie", (_, make) => {
  const copy = createSharedCopy();
  const source = Uint8Array.from({ length: 150_000 }, (__, i) => (i * 7 + (i >> 8)) % 251);
  for (let from = 0; from < 9; from++) {
    for (const [to, length] of [
      [0, 0],
      [0, 1],
      [3, 20],
      [8, 8],
      [5, 65_536],
      [1, 140_000],
    ] as const) {
      const target = make(150_016);
      copy(target, to, source.subarray(from, from + length));
      expect(Buffer.compare(target.subarray(to, to + length), source.subarray(from, from + length))).toBe(0);
      expect([target[to - 1] ?? 0, target[to + length]]).toEqual([0, 0]);
    }
  }
});
