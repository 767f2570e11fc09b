// Lines of a child process, bounded: a line that does not end costs no more memory than a short one.
import { StringDecoder } from "node:string_decoder";

export interface LineReader {
  push(chunk: Uint8Array): void;
  /** The last line has no end. */
  end(): void;
}

const LINE_END = 10;
const RETURN = 13;

/** Passes on each line without its end, CR or LF, cut off after `maxBytes`. Empty lines are left out. */
export function lineReader(maxBytes: number, onLine: (line: string) => void): LineReader {
  let parts: Uint8Array[] = [];
  let length = 0;

  const add = (part: Uint8Array): void => {
    const room = maxBytes - length;
    if (room <= 0 || part.length === 0) return;
    // A copy: the chunk would stay in memory for as long as a few bytes of it.
    const kept = Buffer.from(part.subarray(0, room));
    parts.push(kept);
    length += kept.length;
  };
  const flush = (): void => {
    if (length === 0) return;
    // Not `toString`: a character that is cut off at the end is left out instead of replaced.
    const line = new StringDecoder("utf8").write(parts.length === 1 ? Buffer.from(parts[0]!) : Buffer.concat(parts));
    parts = [];
    length = 0;
    onLine(line);
  };

  return {
    push(chunk) {
      let from = 0;
      for (let at = nextEnd(chunk, 0); at >= 0; at = nextEnd(chunk, from)) {
        add(chunk.subarray(from, at));
        flush();
        from = at + 1;
      }
      add(chunk.subarray(from));
    },
    end: flush,
  };
}

function nextEnd(chunk: Uint8Array, from: number): number {
  const feed = chunk.indexOf(LINE_END, from);
  const back = chunk.subarray(from, feed < 0 ? undefined : feed).indexOf(RETURN);
  return back < 0 ? feed : from + back;
}
