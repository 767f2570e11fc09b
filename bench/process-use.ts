// What processes use, as Linux tells: memory, processor time, and which ones belong to this one.
import { readdirSync, readFileSync } from "node:fs";

/** Resident memory of a process, all its threads. */
export function rssMb(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) / 1024;
}

/** Processor time that a process has used, in seconds; its clock ticks a hundred times a second. */
export function cpuSeconds(pid: number): number {
  const fields = read(`/proc/${pid}/stat`)
    .replace(/^.*\) /s, "")
    .split(" ");
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / 100;
}

/** The processes that a process has started and that have not ended. */
export function childrenOf(pid: number): number[] {
  const parentOf = (child: string): number =>
    Number(
      read(`/proc/${child}/stat`)
        .replace(/^.*\) \S /s, "")
        .split(" ", 1)[0],
    );
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && parentOf(name) === pid)
    .map(Number);
}

/** Empty for a process that is gone. */
function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
