// Candidates in descending order of their scores: a radix sort, because comparing is dearer than all of the suppression.
import type { Candidates } from "./candidates.ts";

/** From so few on, inserting each at its place is the faster. */
const FEW = 32;
const BYTES = 8;
const VALUES = 256;

/**
 * Makes a function that says in which order candidates come, best score first; equal scores keep the order of their keys, so
 * lower box, then lower class. The first `count` of what it returns are indices of candidates; the next call overwrites them.
 */
export function createRanking(): (candidates: Candidates) => Uint32Array {
  let order = new Uint32Array(0);
  let spare = new Uint32Array(0);
  const places = new Uint32Array(BYTES * VALUES);
  return ({ scores, bytes, count }) => {
    if (order.length < count) {
      order = new Uint32Array(scores.length);
      spare = new Uint32Array(scores.length);
    }
    for (let i = 0; i < count; i++) order[i] = i;
    if (count <= FEW) {
      insertionSort(order, scores, count);
      return order;
    }
    countBytes(places, bytes, count);
    // Scores are positive, so their bits as IEEE 754 doubles rise as they do. The least significant byte stands first on every
    // machine that an engine runs on.
    for (let byte = 0; byte < BYTES; byte++) {
      const at = byte * VALUES;
      // All have the same.
      if (places[at + bytes[byte]!] === count) continue;
      let place = 0;
      for (let value = VALUES - 1; value >= 0; value--) {
        const many = places[at + value]!;
        places[at + value] = place;
        place += many;
      }
      for (let i = 0; i < count; i++) {
        const candidate = order[i]!;
        spare[places[at + bytes[candidate * BYTES + byte]!]!++] = candidate;
      }
      [order, spare] = [spare, order];
    }
    return order;
  };
}

/** How often each value occurs as each byte of a score. */
function countBytes(counts: Uint32Array, bytes: Uint8Array, count: number): void {
  counts.fill(0);
  for (let i = 0; i < count * BYTES; i += BYTES) {
    for (let byte = 0; byte < BYTES; byte++) counts[byte * VALUES + bytes[i + byte]!]!++;
  }
}

function insertionSort(order: Uint32Array, scores: Float64Array, count: number): void {
  for (let i = 1; i < count; i++) {
    const candidate = order[i]!;
    let at = i;
    for (; at > 0 && scores[order[at - 1]!]! < scores[candidate]!; at--) order[at] = order[at - 1]!;
    order[at] = candidate;
  }
}
