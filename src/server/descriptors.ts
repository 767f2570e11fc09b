// How many connections the limit on open files of this process (RLIMIT_NOFILE) leaves room for.
import { readFileSync } from "node:fs";

/** Databases, libraries, pipes of ffmpeg and its starts, files of captures and jobs need this share, within these bounds. */
const SHARE = 0.5;
const LEAST = 96;
const MOST = 1024;
/** Connections that are accepted even where the limit is too low for both: a server that nobody reaches cannot say why. */
const FEWEST = 8;

/** Connections that may be open at once, so that files and processes can still be opened. */
export function connectionRoom(limit = descriptorLimit()): number {
  return Math.max(FEWEST, limit - Math.min(MOST, Math.max(LEAST, Math.ceil(limit * SHARE))));
}

/** Descriptors that this process may have open; Infinity where the system has no limit, or does not give it. */
export function descriptorLimit(): number {
  const line = limitsOfLinux();
  if (line !== undefined) return numberOf(/^Max open files\s+(\S+)/m.exec(line)?.[1]);
  // Takes some 20 ms. Windows has no such limit.
  const report = process.report.getReport() as { userLimits?: { open_files?: { soft?: number | string } } };
  return numberOf(report.userLimits?.open_files?.soft);
}

function limitsOfLinux(): string | undefined {
  try {
    return readFileSync("/proc/self/limits", "utf8");
  } catch {
    return undefined;
  }
}

/** "unlimited" is no number. */
function numberOf(limit: number | string | undefined): number {
  const number = Number(limit);
  return Number.isInteger(number) && number > 0 ? number : Infinity;
}
