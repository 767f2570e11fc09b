// Where a file is not as it was before: its clock jumps, or its frames have another size.
import { MultiboxError } from "../errors.ts";

/** Before which frame. Times are in seconds. */
export type SourceChange = { readonly index: number; readonly pts: number } & (
  | { readonly kind: "clock"; readonly from: number; readonly to: number }
  | { readonly kind: "size"; readonly width: number; readonly height: number }
);

/** Changes of each kind that a warning names. */
const SHOWN = 5;

/** Gathers the changes of a file; what is not shown is counted only. */
export class ChangeLog {
  readonly #shown: Record<SourceChange["kind"], string[]> = { clock: [], size: [] };
  readonly #counts: Record<SourceChange["kind"], number> = { clock: 0, size: 0 };

  add(change: SourceChange): void {
    this.#counts[change.kind] += 1;
    if (this.#shown[change.kind].length < SHOWN) this.#shown[change.kind].push(placeOf(change));
  }

  /** A sentence for each kind of change, with its places. */
  warnings(name: string): readonly MultiboxError[] {
    const sentence = (kind: SourceChange["kind"], code: string, what: string, consequence: string): MultiboxError[] => {
      const rest = this.#counts[kind] - this.#shown[kind].length;
      const places = `${this.#shown[kind].join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
      return this.#counts[kind] === 0 ? [] : [new MultiboxError(code, `${name}: ${what} ${places}. ${consequence}`)];
    };
    return [
      ...sentence("clock", "VIDEO_CLOCK_JUMPS", "the clock jumps at", "Times continue from the frame before."),
      ...sentence("size", "VIDEO_SIZE_CHANGES", "the image size changes at", "Boxes refer to each frame's own size."),
    ];
  }
}

function placeOf(change: SourceChange): string {
  const { index, pts } = change;
  const what =
    change.kind === "clock"
      ? `from ${change.from.toFixed(2)} s to ${change.to.toFixed(2)} s`
      : `to ${change.width}x${change.height}`;
  return `frame ${index} (${pts.toFixed(2)} s, ${what})`;
}
