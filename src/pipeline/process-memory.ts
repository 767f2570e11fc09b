// How much memory a process group uses, from /proc; nothing where there is none.
import { readdirSync, readFileSync } from "node:fs";

export interface MemoryProbe {
  /** Resident bytes of the whole group; undefined where the system does not say, and once its leader is gone. */
  bytes(): number | undefined;
}

const PAGE = 4096;
/** A program that decodes is larger. What is smaller may be a shell in front of one, whose group has to be looked for. */
const SHELL_BYTES = 16 * 1024 * 1024;
const LOOK_EVERY_MS = 2000;

/** `leader`: the id of the group and of its first process. `now`: milliseconds on a clock that never jumps. */
export function memoryProbe(leader: number, now: () => number = () => performance.now()): MemoryProbe {
  let others: readonly number[] = [];
  let lookedAt = -Infinity;
  return {
    bytes() {
      const own = bytesOf(leader);
      if (own === undefined) return undefined;
      if (own < SHELL_BYTES && now() - lookedAt >= LOOK_EVERY_MS) {
        others = othersIn(leader);
        lookedAt = now();
      }
      return others.reduce((sum, pid) => sum + (bytesOf(pid) ?? 0), own);
    },
  };
}

function bytesOf(pid: number): number | undefined {
  const pages = Number(read(`/proc/${pid}/statm`)?.split(" ", 2)[1]);
  return Number.isSafeInteger(pages) ? pages * PAGE : undefined;
}

function othersIn(group: number): number[] {
  try {
    const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
    return pids.map(Number).filter((pid) => pid !== group && groupOf(pid) === group);
  } catch {
    return [];
  }
}

/** The fifth field; the second is a name, which may have blanks and brackets. */
function groupOf(pid: number): number {
  return Number(read(`/proc/${pid}/stat`)?.split(") ").at(-1)?.split(" ")[2]);
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return undefined;
  }
}
