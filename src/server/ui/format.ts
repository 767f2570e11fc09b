// Numbers as people read them.
import type { Detections } from "../protocol.ts";

/** Frames a second with one decimal; a dash while unknown. */
export function formatFps(fps: number | undefined): string {
  return fps === undefined ? "–" : fps.toFixed(1);
}

/** 12345 -> 12,345 */
export function formatCount(count: number): string {
  return count.toLocaleString("en");
}

/** Longest delay that is believed; more than this is a clock that is wrong. */
const PLAUSIBLE_MS = 30_000;

/**
 * Milliseconds from a frame's decoding to its drawing. The two clocks are the server's and the browser's; where they
 * plainly disagree it is the server's own part only (`whole: false`).
 */
export function latencyOf(message: Detections, drawnAt: number): { readonly ms: number; readonly whole: boolean } {
  const ms = drawnAt - Date.parse(message.time);
  const server = message.timing.totalMs;
  return ms >= server && ms <= PLAUSIBLE_MS ? { ms, whole: true } : { ms: server, whole: false };
}

/** Whole seconds until a moment, at least 0. */
export function secondsUntil(moment: number, now: number): number {
  return Math.max(0, Math.ceil((moment - now) / 1000));
}
