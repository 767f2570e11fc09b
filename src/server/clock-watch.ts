// Notices that the time of day has jumped, while the server runs and between two runs: then nothing is deleted for its age for a day.
import { readFileSync } from "node:fs";
import { uptime } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { writeWhole } from "../whole-file.ts";

/** A smaller difference is a leap second, a correction by NTP or daylight saving. */
const JUMP_MS = 3_600_000;
const HOLD_MS = 86_400_000;
/** Also how often the clock is looked at where nothing else does. */
const SAVE_MS = 60_000;

export interface Clocks {
  /** Milliseconds since the epoch, as the system has it set. */
  readonly wall: () => number;
  /** Milliseconds since the machine was started, however its time of day is set, and also while it sleeps. */
  readonly uptime: () => number;
}

export const CLOCKS: Clocks = { wall: Date.now, uptime: () => uptime() * 1000 };

export interface ClockWatchOptions {
  readonly clocks?: Clocks;
  /** Milliseconds that a hold still lasts which another watch began. */
  readonly heldMs?: number;
  /** Milliseconds by which the time of day differs from what it should be. */
  readonly onJump?: (ms: number) => void;
}

export class ClockWatch {
  readonly #clocks: Clocks;
  readonly #onJump: (ms: number) => void;
  /** What the wall clock shows when the machine is started, if it is never set. */
  #offset: number;
  #heldUntil: number;

  constructor({ clocks = CLOCKS, heldMs = 0, onJump = () => undefined }: ClockWatchOptions = {}) {
    this.#clocks = clocks;
    this.#onJump = onJump;
    this.#offset = clocks.wall() - clocks.uptime();
    this.#heldUntil = clocks.uptime() + heldMs;
  }

  /** Milliseconds since the epoch. */
  now(): number {
    return this.#clocks.wall();
  }

  /** Milliseconds for which nothing may be deleted for its age yet. */
  heldMs(): number {
    const { wall, uptime: up } = this.#clocks;
    const offset = wall() - up();
    const jump = offset - this.#offset;
    this.#offset = offset;
    if (Math.abs(jump) > JUMP_MS) {
      this.#heldUntil = up() + HOLD_MS;
      this.#onJump(jump);
    }
    return Math.max(0, this.#heldUntil - up());
  }
}

/** For the log. */
export function jumpSentence(ms: number): string {
  const hours = `${(Math.abs(ms) / 3_600_000).toFixed(1)} h ${ms > 0 ? "forwards" : "back"}`;
  return `The time of day went ${hours}. For 24 h nothing is deleted for its age. Check the time synchronization (NTP) of this machine.`;
}

const Saved = z.object({ wall: z.number(), uptime: z.number(), boot: z.string(), heldMs: z.number().min(0) });
type Saved = z.infer<typeof Saved>;

export interface SavedClockWatch {
  readonly watch: ClockWatch;
  /** Writes what the next run compares with. A disk that is full costs no more than that. */
  readonly close: () => Promise<void>;
}

export interface SavedClockOptions {
  readonly clocks?: Clocks;
  /** Another one after each start of the machine; empty where it is unknown. */
  readonly boot?: string;
  readonly onJump?: (ms: number) => void;
}

/** Compares with `clock.json` in the data folder, which the run before has left there. */
export function openClockWatch(dataDir: string, options: SavedClockOptions = {}): SavedClockWatch {
  const { clocks = CLOCKS, boot = bootId(), onJump = () => undefined } = options;
  const file = join(dataDir, "clock.json");
  const saved = readSaved(file);
  const jump = saved ? jumpSince(saved, clocks, boot) : 0;
  if (jump !== 0) onJump(jump);
  const watch = new ClockWatch({ clocks, onJump, heldMs: saved ? heldAfter(saved, jump) : 0 });
  let last = Promise.resolve();
  const save = (): Promise<void> => {
    const state: Saved = { heldMs: watch.heldMs(), wall: clocks.wall(), uptime: clocks.uptime(), boot };
    last = last.then(() => writeWhole(file, [`${JSON.stringify(state)}\n`])).catch(() => undefined);
    return last;
  };
  void save();
  const timer = setInterval(() => void save(), SAVE_MS).unref();
  return {
    watch,
    close: () => {
      clearInterval(timer);
      return save();
    },
  };
}

/** 0 when there was none. */
function jumpSince(saved: Saved, { wall, uptime: up }: Clocks, boot: string): number {
  const passed = wall() - saved.wall;
  const isSameBoot = boot !== "" && boot === saved.boot && up() >= saved.uptime;
  const jump = isSameBoot ? passed - (up() - saved.uptime) : passed;
  return Math.abs(jump) > JUMP_MS ? jump : 0;
}

/**
 * A machine that was switched off looks like one whose clock was set forwards, and may be switched off every night: such a start does not
 * extend a hold, which therefore ends after a day of running.
 */
function heldAfter(saved: Saved, jump: number): number {
  if (jump === 0) return saved.heldMs;
  return jump > 0 && saved.heldMs > 0 ? saved.heldMs : HOLD_MS;
}

function readSaved(file: string): Saved | undefined {
  try {
    return Saved.safeParse(JSON.parse(readFileSync(file, "utf8"))).data;
  } catch {
    return undefined;
  }
}

/** Linux has one. Elsewhere a start of the machine cannot be told from the clock being set. */
function bootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return "";
  }
}
