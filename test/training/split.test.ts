// Splits: by time with a gap, by look-alikes and days on one side, what falls back to the order, and what cannot be split.
import { describe, expect, test } from "vitest";
import { hashDistance } from "../../src/model/perceptual-hash.ts";
import { random } from "../../src/model/random.ts";
import { LOOK_ALIKE_BITS, unlike } from "../../src/training/look-alikes.ts";
import { splitAsFormerly } from "../../src/training/former-split.ts";
import { splitImages, type SplitImage } from "../../src/training/split.ts";
import type { SplitBy } from "../../src/training/split-record.ts";
import { momentOf } from "../../src/training/time-of-image.ts";
import { fc } from "../support/fast-check.ts";

const hashOf = (next: () => number): string =>
  Array.from({ length: 16 }, () => Math.floor(next() * 16).toString(16)).join("");

/** Images that have nothing in common. */
function strangers(count: number, seed = 1): SplitImage[] {
  const next = random(seed);
  return Array.from({ length: count }, () => ({ hash: hashOf(next) }));
}

const ALIKE = "0123456789abcdef";

/** Images of these names that all look alike, as a fixed camera's do, or each like the one before. */
function frames(names: readonly string[], hashAt: (i: number) => string = () => ALIKE): SplitImage[] {
  return names.map((name, i) => {
    const moment = momentOf({ file: `/data/images/${name}` });
    return { hash: hashAt(i), moment, day: moment?.day };
  });
}

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const numbered = (count: number, prefix = "f"): string[] => range(count).map((i) => `${prefix}${i * 8}.jpg`);
const options = (by: SplitBy, share = 0.2, seed = 1): { share: number; by: SplitBy; seed: number } => {
  return { share, by, seed };
};

describe("a split by look-alikes", () => {
  test("has its share, each image on one side, and is the same for the same seed", () => {
    const images = strangers(100);
    const { training, validation, by } = splitImages(images, options("auto", 0.3, 5));
    expect([by, training.length, validation.length]).toEqual(["hash", 70, 30]);
    expect([...training, ...validation].toSorted((a, b) => a - b)).toEqual(range(100));
    expect(splitImages(images, options("hash", 0.3, 5)).validation).toEqual(validation);
    expect(splitImages(images, options("hash", 0.3, 6)).validation).not.toEqual(validation);
    // As version 0.1.0 did.
    expect(splitAsFormerly(images, { share: 0.3, by: "hash", seed: 5 }).validation).toEqual(validation);
  });

  test("never has look-alikes on both sides unless it says so, and never one judge where more are wanted", () => {
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
          const split = splitImages(
            hashes.map((hash) => ({ hash })),
            options("auto", share, seed),
          );
          expect(split.training.length).toBeGreaterThan(0);
          expect(split.validation.length * 2).toBeGreaterThanOrEqual(Math.round(share * hashes.length));
          expect(split.warnings).toHaveLength(split.by === "hash" ? 0 : 1);
          if (split.by !== "hash") return;
          for (const i of split.training)
            for (const j of split.validation)
              expect(hashDistance(hashes[i]!, hashes[j]!)).toBeGreaterThan(LOOK_ALIKE_BITS);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("of 90 images of which 89 look alike falls back to the last ones, and says so", () => {
    const images = [...strangers(1), ...frames(Array.from({ length: 89 }, () => "x.jpg"))];
    const { by, training, validation, gap, warnings } = splitImages(images, options("auto"));
    expect([by, training.length, validation.length, gap.length]).toEqual(["order", 67, 18, 5]);
    expect(validation).toEqual(range(18).map((i) => 72 + i));
    expect(warnings).toEqual([expect.stringContaining("only 1 of 90 images could validate instead of 18")]);
    expect(splitAsFormerly(images, { share: 0.2, by: "hash", seed: 1 }).validation).toHaveLength(1);
  });
});

describe("a split by time", () => {
  test("takes the last block of a fixed camera, with a gap, whatever the order of the list", () => {
    const images = frames(numbered(60).toReversed());
    const { by, validation, gap, streams, warnings } = splitImages(images, options("auto"));
    expect({ by, validation, gap, streams, warnings }).toEqual({
      by: "time",
      validation: range(12),
      gap: [12, 13, 14],
      streams: 1,
      warnings: [],
    });
  });

  test("takes the last block of each stream, so that each is judged", () => {
    const images = frames([...numbered(40, "gate_"), ...numbered(20, "yard_")]);
    const { validation, gap } = splitImages(images, options("auto"));
    expect(validation).toEqual([32, 33, 34, 35, 36, 37, 38, 39, 56, 57, 58, 59]);
    expect(gap).toEqual([30, 31, 55]);
  });

  test("takes captures by their time: the gap is a minute, and at most a tenth", () => {
    const at = (seconds: number): string => new Date(Date.UTC(2026, 10, 25) + seconds * 1000).toISOString();
    const id = (seconds: number): string => `${at(seconds).replaceAll(/[-:.Z]/g, "")}-yard-${seconds}.jpg`;
    const gapsOf = (seconds: number): number =>
      splitImages(frames(range(100).map((i) => id(i * seconds))), options("auto")).gap.length;
    // One a second, one in 25 seconds, one in 15 minutes.
    expect([gapsOf(1), gapsOf(25), gapsOf(900)]).toEqual([10, 2, 0]);
  });

  test("has its share over many short streams", () => {
    const captured = range(30).flatMap((camera) => [0, 1].map((i) => `2026112510150${i}000-cam${camera}-${i}.jpg`));
    const images = frames(captured.map((name) => name.replace(/^(\d{8})/, "$1T")));
    const { validation, streams } = splitImages(images, options("auto"));
    expect([validation.length, streams]).toEqual([12, 30]);
  });

  test("follows numbers only where the images confirm them", () => {
    const next = random(3);
    // A walk: each image differs from the one before in a few bits.
    let hash = BigInt(`0x${hashOf(next)}`);
    const walk = range(60).map(() => {
      for (let i = 0; i < 5; i++) hash ^= 1n << BigInt(Math.floor(next() * 64));
      return hash.toString(16).padStart(16, "0");
    });
    const byOf = (names: readonly string[], hashAt?: (i: number) => string): string =>
      splitImages(frames(names, hashAt), options("auto")).by;
    expect(byOf(numbered(60), (i) => walk[i]!)).toBe("time");
    const coco = range(60).map((i) => `${String(i * 977 + 139).padStart(12, "0")}.jpg`);
    for (let seed = 1; seed <= 20; seed++) {
      const others = strangers(60, seed);
      expect(byOf(coco, (i) => others[i]!.hash)).toBe("hash");
      expect(
        byOf(
          range(60).map((i) => `2008_${String(i).padStart(6, "0")}.jpg`),
          (i) => others[i]!.hash,
        ),
      ).toBe("hash");
    }
  });

  test("leaves images without a known order to groups of look-alikes, and says how many", () => {
    const images = [...frames(numbered(40)), ...strangers(10)];
    const { by, validation, warnings } = splitImages(images, options("auto"));
    expect([by, validation.filter((i) => i < 40).length, validation.filter((i) => i >= 40).length]).toEqual([
      "time",
      8,
      2,
    ]);
    expect(warnings).toEqual([
      "The order in time of 10 images of 50 is unknown; these are split by groups of look-alikes.",
    ]);
  });

  test("can be asked for where nothing is known, and says that the order of the data set stands for time", () => {
    const { by, validation, warnings } = splitImages(strangers(10), options("time"));
    expect([by, validation]).toEqual(["order", [8, 9]]);
    expect(warnings).toEqual([expect.stringMatching(/^The order in time of 10 images is unknown/)]);
  });
});

test("a split by days keeps each on one side, though all images look alike; of one day alone the last images validate", () => {
  const named = (day: number, i: number): string => `2026-11-0${day}_10-00-${String(i).padStart(2, "0")}.jpg`;
  const images = frames(range(60).map((i) => named(1 + (i % 5), i)));
  const { by, training, validation, warnings } = splitImages(images, options("day"));
  const days = (places: readonly number[]): Set<string | undefined> => new Set(places.map((i) => images[i]!.day));
  expect([by, days(validation).size, days(training).size, warnings]).toEqual(["day", 1, 4, []]);
  expect([...days(training)].filter((day) => days(validation).has(day))).toEqual([]);
  const one = splitImages(frames(range(20).map((i) => named(1, i))), options("day"));
  expect([one.by, one.validation]).toEqual(["time", [16, 17, 18, 19]]);
  expect(one.warnings).toEqual([expect.stringContaining("By whole days only 0 of 20 images could validate")]);
});

test.each<[string, SplitImage[], number, RegExp]>([
  ["one image", strangers(1), 0.2, /^1 image cannot be split/],
  ["a share of nothing", strangers(9), 0, /A validation share of 0 leaves nothing to validate by/],
  ["a share of all", strangers(9), 1, /A validation share of 1 leaves nothing to train on/],
])("a split of %s fails with a sentence", (_, images, share, sentence) => {
  for (const by of ["auto", "time", "hash", "day"] as const)
    expect(() => splitImages(images, options(by, share))).toThrow(sentence);
});

test("images that look like others are told from those that do not", () => {
  const [a, b, c] = strangers(3) as [SplitImage, SplitImage, SplitImage];
  const almost = { hash: (BigInt(`0x${b.hash}`) ^ 0b111n).toString(16).padStart(16, "0") };
  expect([unlike([a, b, c], [almost], 3), unlike([a, b, c], [almost], 2)]).toEqual([
    [0, 2],
    [0, 1, 2],
  ]);
});

test.each<[string, string | undefined, string | undefined]>([
  ["f0008.jpg", "/d/f*", undefined],
  ["cam1_frame_000123.png", "/d/cam1_frame_*", undefined],
  ["frame_000123_jpg.rf.1a2b3c4d5e.jpg", "/d/frame_*", undefined],
  ["20261125T101500250-gate-2-42.jpg", "/d/gate-2", "2026-11-25"],
  ["1a2b3c4d-20261125T101500250-gate-42.jpg", "/d/gate", "2026-11-25"],
  ["20261125T101500250-import-42.jpg", "/d/import", undefined],
  ["cam1_2026-11-25_10-15-00.jpg", "/d/cam1_*", "2026-11-25"],
  ["IMG_20261125_101500.jpg", "/d/IMG_*", "2026-11-25"],
  ["20261325_101500.jpg", "/d/20261325_*", undefined],
  ["20260231_101500.jpg", "/d/20260231_*", undefined],
  ["door.jpg", undefined, undefined],
])("%s is of the stream %s and the day %s", (name, stream, day) => {
  const moment = momentOf({ file: `/d/${name}` });
  expect([moment?.stream, moment?.day]).toEqual([stream, day]);
});

describe("a last block with too few objects to judge by", () => {
  const withObjects = (count: number, objects: (i: number) => number): SplitImage[] =>
    frames(numbered(count)).map((image, i) => ({ ...image, objects: objects(i) }));

  test("is made larger until it has fifty, and that is said", () => {
    const { validation, training, gap, warnings } = splitImages(
      withObjects(60, (i) => (i < 48 ? 7 : 3)),
      options("auto"),
    );
    // 12 images have 36 objects; two more have 7 each.
    expect([validation.length, training.length, gap.length]).toEqual([14, 43, 3]);
    expect(warnings).toEqual([
      "The last 14 images validate instead of 12, so that there are 10 images and 50 objects to judge by.",
    ]);
  });

  test("stays as it is where a third of the images would not do either, and where it has enough", () => {
    const few = splitImages(
      withObjects(60, () => 1),
      options("auto"),
    );
    expect([few.validation.length, few.warnings]).toEqual([12, []]);
    const enough = splitImages(
      withObjects(60, () => 5),
      options("auto"),
    );
    expect([enough.validation.length, enough.warnings]).toEqual([12, []]);
  });
});
