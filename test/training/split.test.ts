// Splits: shares, seeds, look-alikes and days on one side, and what cannot be split.
import { describe, expect, test } from "vitest";
import { hashDistance } from "../../src/model/perceptual-hash.ts";
import { random } from "../../src/model/random.ts";
import { type Kind, LOOK_ALIKE_BITS, splitPictures, unlike } from "../../src/training/split.ts";
import { fc } from "../support/fast-check.ts";

const hashOf = (next: () => number): string =>
  Array.from({ length: 16 }, () => Math.floor(next() * 16).toString(16)).join("");

/** Pictures that have nothing in common. */
function strangers(count: number, seed = 1): Kind[] {
  const next = random(seed);
  return Array.from({ length: count }, () => ({ hash: hashOf(next) }));
}

describe("a split", () => {
  test("has its share, each picture on one side, and is the same for the same seed", () => {
    const kinds = strangers(100);
    const { training, validation } = splitPictures(kinds, 0.3, "hash", 5);
    expect([training.length, validation.length]).toEqual([70, 30]);
    expect([...training, ...validation].toSorted((a, b) => a - b)).toEqual(kinds.map((_, i) => i));
    expect(splitPictures(kinds, 0.3, "hash", 5).validation).toEqual(validation);
    expect(splitPictures(kinds, 0.3, "hash", 6).validation).not.toEqual(validation);
  });

  test("never has look-alikes on both sides, whatever the pictures", () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.integer({ min: 2, max: 40 }),
        fc.double({ min: 0.05, max: 0.9, noNaN: true }),
        (seed, count, share) => {
          const next = random(seed);
          const hashes = [hashOf(next), hashOf(next), hashOf(next)];
          // Each has a few bits other than one of those before it: chains of look-alikes.
          while (hashes.length < count) {
            const from = BigInt(`0x${hashes[Math.floor(next() * hashes.length)]!}`);
            const bits = Array.from({ length: Math.floor(next() * 12) }, () => 1n << BigInt(Math.floor(next() * 64)));
            hashes.push(
              bits
                .reduce((hash, bit) => hash ^ bit, from)
                .toString(16)
                .padStart(16, "0"),
            );
          }
          // Where all are one chain there is no split.
          const kinds = [...hashes.map((hash) => ({ hash })), ...strangers(1, seed + 1)];
          hashes.push(kinds.at(-1)!.hash);
          const split = splitPictures(kinds, share, "hash", seed);
          expect(split.training.length).toBeGreaterThan(0);
          expect(split.validation.length).toBeGreaterThan(0);
          for (const i of split.training)
            for (const j of split.validation)
              expect(hashDistance(hashes[i]!, hashes[j]!)).toBeGreaterThan(LOOK_ALIKE_BITS);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("keeps days together where it is asked to", () => {
    const kinds = strangers(60).map((kind, i) => ({ ...kind, day: `2026-11-0${1 + (i % 5)}` }));
    const { training, validation } = splitPictures(kinds, 0.2, "day", 1);
    const days = (places: readonly number[]): Set<string> => new Set(places.map((i) => kinds[i]!.day));
    expect(days(validation).size).toBe(1);
    expect([...days(training)].filter((day) => days(validation).has(day))).toEqual([]);
  });

  test.each<[string, Kind[], number, "hash" | "day", RegExp]>([
    [
      "look-alikes alone",
      Array.from({ length: 9 }, () => ({ hash: "0123456789abcdef" })),
      0.2,
      "hash",
      /The 9 pictures cannot be split: they look alike\./,
    ],
    [
      "one day alone",
      strangers(9).map((kind) => ({ ...kind, day: "2026-11-01" })),
      0.2,
      "day",
      /they look alike or are of one day/,
    ],
    ["one picture", strangers(1), 0.2, "hash", /The 1 pictures cannot be split/],
    ["a share of nothing", strangers(9), 0, "hash", /A validation share of 0 leaves nothing to judge by/],
    ["a share of all", strangers(9), 1, "hash", /A validation share of 1 leaves nothing to learn from/],
  ])("of %s fails with a sentence", (_, kinds, share, by, sentence) => {
    expect(() => splitPictures(kinds, share, by, 1)).toThrow(sentence);
  });
});

test("pictures that look like others are told from those that do not", () => {
  const [a, b, c] = strangers(3) as [Kind, Kind, Kind];
  const almost = { hash: (BigInt(`0x${b.hash}`) ^ 0b111n).toString(16).padStart(16, "0") };
  expect(unlike([a, b, c], [almost])).toEqual([0, 2]);
});
