// The colour of a label, beside its name.
import type { JSX } from "preact";
import { labelColours } from "../../annotate/drawing/label-colours.ts";

export function Swatch({ label }: { readonly label: string }): JSX.Element {
  return <span class="swatch" aria-hidden="true" style={{ backgroundColor: labelColours(label).swatch }} />;
}
