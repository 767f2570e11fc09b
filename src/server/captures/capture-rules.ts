// Which frames of a stream are worth keeping: rules that look at its detections and its clock, one frame after the other.
import type { Detected } from "../../pipeline/frame.ts";
import type { CaptureRules } from "../../pipeline/stream.ts";

export type CaptureReason = "every" | "score" | "label" | "count" | "share";

/** A label that was out of sight for so long has gone, and comes into sight anew; detectors lose an object for a frame or two. */
const GONE_MS = 2000;
const MIN_GAP_SECONDS = 1;
/** A count that holds for so many frames is one, and not a flicker. */
const STEADY_FRAMES = 3;

/** What the rules of one stream remember of it. Times are milliseconds on a clock that never jumps. */
export class CaptureJudge {
  readonly rules: CaptureRules;
  readonly #random: () => number;
  readonly #lastSeen = new Map<string, number>();
  #lastKept = -Infinity;
  #lastEvery: number | undefined;
  #steady: string | undefined;
  #candidate = "";
  #held = 0;

  constructor(rules: CaptureRules, random: () => number = Math.random) {
    this.rules = rules;
    this.#random = random;
  }

  /** Why the frame should be kept, or undefined. Called with every frame, in order. */
  judge(detections: Detected["detections"], now: number): CaptureReason | undefined {
    const { everySeconds, score, countChanges, share: chance } = this.rules;
    // All rules see every frame, so that none fires late for having been asked late.
    const appeared = this.#appeared(detections, now);
    const changed = countChanges === true && this.#countChanged(detections);
    if (now - this.#lastKept < (this.rules.minGapSeconds ?? MIN_GAP_SECONDS) * 1000) return undefined;
    if (appeared) return "label";
    if (changed) return "count";
    if (score && detections.some((found) => found.score >= score.from && found.score <= score.to)) return "score";
    if (everySeconds !== undefined && now - (this.#lastEvery ?? -Infinity) >= everySeconds * 1000) return "every";
    if (chance !== undefined && this.#random() < chance) return "share";
    return undefined;
  }

  /** The frame that was judged last is kept. */
  kept(reason: CaptureReason, now: number): void {
    this.#lastKept = now;
    if (reason === "every") this.#lastEvery = now;
  }

  /** The frame that was judged last looks like one that is there already: what comes regularly waits for its next turn. */
  leftOut(reason: CaptureReason, now: number): void {
    if (reason === "every") this.#lastEvery = now;
  }

  #appeared(detections: Detected["detections"], now: number): boolean {
    if (!this.rules.labels) return false;
    let appeared = false;
    for (const label of this.rules.labels) {
      if (!detections.some((found) => found.label === label)) continue;
      appeared ||= now - (this.#lastSeen.get(label) ?? -Infinity) > GONE_MS;
      this.#lastSeen.set(label, now);
    }
    return appeared;
  }

  #countChanged(detections: Detected["detections"]): boolean {
    const counts = new Map<string, number>();
    for (const { label } of detections) counts.set(label, (counts.get(label) ?? 0) + 1);
    const now = JSON.stringify([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
    this.#held = now === this.#candidate ? this.#held + 1 : 1;
    this.#candidate = now;
    if (this.#held < STEADY_FRAMES || now === this.#steady) return false;
    const isFirst = this.#steady === undefined;
    this.#steady = now;
    return !isFirst;
  }
}
