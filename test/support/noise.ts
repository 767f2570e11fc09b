// A bad line: packets that are lost, damaged, or come with garbage before them, the same ones for the same seed.
import { random } from "../../src/model/random.ts";

/** What becomes of a packet: bytes that are none go before it, and it comes whole, damaged, or not at all. */
export interface Received {
  readonly garbage?: Buffer;
  readonly packet?: Buffer;
}

/** `share`: the part of all packets that something happens to, 0..1. Headers of packets are damaged as well as pictures. */
export function badLine(share: number, seed: number): (packet: Buffer) => Received {
  const draw = random(seed);
  const below = (limit: number): number => Math.floor(draw() * limit);
  const bytes = (count: number): Buffer => Buffer.from(Array.from({ length: count }, () => below(256)));
  return (packet) => {
    if (draw() >= share) return { packet };
    const kind = below(3);
    if (kind === 0) return {};
    if (kind === 1) return { packet, garbage: bytes(1 + below(200)) };
    const damaged = Buffer.from(packet);
    for (let i = 0; i < 8; i++) damaged[below(damaged.length)] = below(256);
    return { packet: damaged };
  };
}
