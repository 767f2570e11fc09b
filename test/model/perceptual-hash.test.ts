import { describe, expect, it } from "vitest";
import type { RgbImage, YuvImage } from "../../src/model/detection.ts";
import { hashDistance, perceptualHash } from "../../src/model/perceptual-hash.ts";
import { random as seeded } from "../../src/model/random.ts";

/** Grey levels as RGB. */
function grey(width: number, height: number, level: (x: number, y: number) => number): RgbImage {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) data.fill(level(i % width, Math.floor(i / width)), i * 3, i * 3 + 3);
  return { format: "rgb24", width, height, data };
}

const blobs = (x: number, y: number): number => 128 + 100 * Math.sin(x / 17) * Math.cos(y / 11);

describe("perceptualHash", () => {
  it("sets a bit where the right neighbour is brighter", () => {
    expect(perceptualHash(grey(90, 80, (x) => x))).toBe("ffffffffffffffff");
    expect(perceptualHash(grey(90, 80, (x) => 90 - x))).toBe("0000000000000000");
    expect(perceptualHash(grey(90, 80, (x, y) => (y < 40 ? x : 90 - x)))).toBe("ffffffff00000000");
  });

  it("hardly changes with noise and size, and much with the picture", () => {
    const noise = seeded(7);
    const hash = perceptualHash(grey(320, 180, blobs));
    const noisy = perceptualHash(grey(320, 180, (x, y) => blobs(x, y) + 10 * noise()));
    const larger = perceptualHash(grey(640, 360, (x, y) => blobs(x / 2, y / 2)));
    const other = perceptualHash(grey(320, 180, (x, y) => 128 + 100 * Math.cos(x / 23) * Math.sin(y / 7)));
    expect(hashDistance(hash, noisy)).toBeLessThanOrEqual(4);
    expect(hashDistance(hash, larger)).toBeLessThanOrEqual(2);
    expect(hashDistance(hash, other)).toBeGreaterThan(15);
  });

  it("reads the luma of YUV", () => {
    const [width, height] = [90, 80];
    const data = new Uint8Array(width * height * 1.5).fill(128);
    for (let i = 0; i < width * height; i++) data[i] = i % width;
    const colour = { matrix: "bt601", fullRange: true } as const;
    const picture: YuvImage = { format: "yuv420p", width, height, data, colour };
    expect(perceptualHash(picture)).toBe("ffffffffffffffff");
  });
});

describe("hashDistance", () => {
  it("counts the bits that differ", () => {
    expect(hashDistance("0000000000000000", "8000000000000001")).toBe(2);
    expect(hashDistance("ffffffffffffffff", "0000000000000000")).toBe(64);
  });
});
