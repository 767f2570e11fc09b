// Copies bytes into shared memory at the speed of ordinary memory.

/**
 * V8 copies into shared memory word by word where source and target lie alike within a word, and byte by byte, seven
 * times slower, where they do not. Bytes from a pipe lie as they come. So those go through a small buffer that shifts
 * them first: ordinary memory knows no such difference.
 */
export function createSharedCopy(): (target: Uint8Array, at: number, bytes: Uint8Array) => void {
  const shifted = new Uint8Array(PIECE + WORD);
  return (target, at, bytes) => {
    const lead = (target.byteOffset + at) % WORD;
    if (!(target.buffer instanceof SharedArrayBuffer) || bytes.byteOffset % WORD === lead) {
      target.set(bytes, at);
      return;
    }
    for (let from = 0; from < bytes.length; from += PIECE) {
      const piece = bytes.subarray(from, from + PIECE);
      shifted.set(piece, lead);
      target.set(shifted.subarray(lead, lead + piece.length), at + from);
    }
  };
}

const WORD = 8;
/** A multiple of the word, so that every piece lies as the first; it stays in the processor's cache. */
const PIECE = 64 * 1024;
