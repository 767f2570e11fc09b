// Where a video is damaged: what ffmpeg complains of while it decodes, gathered to a few places that people can look at.
import { MultiboxError } from "../errors.ts";

/** One place of damage. Decoders work on several frames at a time, so it lies about there. */
export interface Damage {
  readonly index: number;
  /** Seconds; of the last frame that came before the complaint. */
  readonly pts: number;
  readonly complaint: string;
}

/** Complaints that lie fewer frames apart are one place. */
const APART = 50;
const MOST = 100;

const SIGNS = /\[(?:error|fatal)\]|concealing \d+|corrupt|partial file|truncat|damaged/i;

export class DamageLog {
  readonly places: Damage[] = [];
  /** Places beyond the first hundred are counted only. */
  more = 0;
  #last = Number.NEGATIVE_INFINITY;

  /** Takes a line of ffmpeg's, said after so many frames. */
  add(line: string, index: number, pts: number): void {
    if (!SIGNS.test(line)) return;
    const isNew = index - this.#last >= APART;
    this.#last = index;
    if (!isNew) return;
    if (this.places.length >= MOST) this.more += 1;
    else this.places.push({ index, pts, complaint: line.replace(/^(?:\[[^\]]*\] )+/, "").replace(/\.$/, "") });
  }

  /** One sentence for all of it, or undefined where the file is sound. */
  warning(path: string): MultiboxError | undefined {
    const [first] = this.places;
    if (!first) return undefined;
    const shown = this.places.slice(0, 5).map(({ index, pts }) => `frame ${index} (${pts.toFixed(2)} s)`);
    const rest = this.places.length - shown.length + this.more;
    const where = `${shown.join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
    return new MultiboxError("VIDEO_DAMAGED", `${path} is damaged about ${where}: ${first.complaint}.`);
  }
}
