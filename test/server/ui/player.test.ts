// Pictures on their way to the screen: the newest wins, and every decoded one is freed.
import { describe, expect, it } from "vitest";
import { Player } from "../../../src/server/ui/player.ts";
import { detections } from "./messages.ts";

interface Decoding {
  readonly resolve: (bitmap: { close: () => void }) => void;
  readonly reject: (error: Error) => void;
}

interface Setup {
  readonly player: Player<{ close: () => void }>;
  readonly decodings: Decoding[];
  readonly repaints: (() => void)[];
  readonly drawn: number[];
  readonly closed: string[];
  readonly offer: (seq: number, dropped?: number) => void;
  readonly decoded: (name: string) => Promise<void>;
}

function setUp(): Setup {
  const [decodings, repaints, drawn, closed]: [Decoding[], (() => void)[], number[], string[]] = [[], [], [], []];
  const player = new Player<{ close: () => void }>({
    decode: () => new Promise((resolve, reject) => decodings.push({ resolve, reject })),
    schedule: (callback) => repaints.push(callback),
    now: () => 5000,
  });
  player.target = (shown) => drawn.push(shown.detections.seq);
  const offer = (seq: number, dropped = 0): void =>
    player.offer({ detections: detections("yard", seq, { dropped }), jpeg: new Uint8Array(2) });
  const decoded = async (name: string): Promise<void> => {
    decodings.shift()!.resolve({ close: () => closed.push(name) });
    await Promise.resolve();
    await Promise.resolve();
    await Promise.resolve();
  };
  return { player, decodings, repaints, drawn, closed, offer, decoded };
}

describe("Player", () => {
  it("leaves out pictures that a newer one has overtaken while it decoded", async () => {
    const { player, decodings, repaints, drawn, offer, decoded } = setUp();
    for (const seq of [1, 2, 3, 4]) offer(seq);
    expect(decodings).toHaveLength(1);
    await decoded("first");
    await decoded("last");
    for (const repaint of repaints) repaint();
    expect(drawn).toEqual([4]);
    expect(player.missed).toBe(2);
    expect(player.shown?.drawnAt).toBe(5000);
  });

  it("frees each picture when the next one is there, and the last when it is closed", async () => {
    const { player, closed, offer, decoded } = setUp();
    offer(1);
    await decoded("first");
    offer(2);
    await decoded("second");
    expect(closed).toEqual(["first"]);
    player.close();
    expect(closed).toEqual(["first", "second"]);
  });

  it("frees a picture that was still being decoded when it was closed", async () => {
    const { player, closed, offer, decoded } = setUp();
    offer(1);
    player.close();
    await decoded("late");
    expect(closed).toEqual(["late"]);
    expect(player.shown).toBeUndefined();
  });

  it("goes on after a JPEG that cannot be decoded", async () => {
    const { player, decodings, offer, decoded } = setUp();
    offer(1);
    offer(2);
    decodings.shift()!.reject(new Error("broken"));
    await expect.poll(() => decodings.length).toBe(1);
    await decoded("second");
    expect(player.shown?.detections.seq).toBe(2);
    expect(player.missed).toBe(1);
  });

  it("draws once before each repaint, however often it is asked to", async () => {
    const { player, repaints, drawn, offer, decoded } = setUp();
    offer(1);
    await decoded("first");
    player.refresh();
    player.refresh();
    expect(repaints).toHaveLength(1);
    repaints[0]!();
    player.refresh();
    repaints[1]!();
    expect(drawn).toEqual([1, 1]);
  });

  it("counts what the server left out for this page", () => {
    const { player, offer } = setUp();
    offer(1, 3);
    offer(2, 2);
    expect(player.missed).toBe(5);
  });
});
