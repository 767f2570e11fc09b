// Proposals and agreement in sentences.
import { countOf } from "../../../count.ts";
import type { ProposalsInfo } from "../../captures/proposal-schemas.ts";
import type { Agreement } from "../../../training/agreement.ts";

/** What came of a run that has ended. */
export function endOf({
  state,
  captures = 0,
  boxes = 0,
  boxesBefore = 0,
  reviewed = 0,
  failed = 0,
}: ProposalsInfo): string {
  const made = `${countOf(captures, "capture has", "captures have")} new proposals: ${countOf(boxes, "box", "boxes")}, ${boxesBefore} before.`;
  const parts = [
    state === "cancelled" && "Cancelled.",
    made,
    reviewed > 0 &&
      `${countOf(reviewed, "capture was", "captures were")} reviewed or deleted meanwhile, and left alone.`,
    failed > 0 && `${countOf(failed, "image", "images")} could not be read.`,
  ];
  return parts.filter((part) => part !== false).join(" ");
}

/** Why nothing can be proposed now; undefined where it can. */
export function whyNot(scope: string | undefined, fresh: number | undefined, isRunning: boolean): string | undefined {
  if (scope === undefined) return "The server is not connected.";
  if (scope === "read") return "This page's token allows to look only; proposals are made with one of the scope write.";
  if (isRunning) return "Proposals are being made.";
  if (fresh === undefined) return "The captures are being counted.";
  return fresh === 0 ? "There are no captures to review." : undefined;
}

const ENOUGH_CAPTURES = 20;
const NEARLY_ALL = 0.95;

export function agreementLine({ captures, unchanged, proposals, kept, moved, added }: Agreement): string {
  const share =
    proposals === 0
      ? ""
      : ` ${kept - moved} of ${countOf(proposals, "proposal")} stand unchanged, ${moved} were moved, ${countOf(added, "object was", "objects were")} added.`;
  return `Of ${countOf(captures, "accepted capture")}, ${unchanged} needed no correction.${share}`;
}

/** Where people change next to nothing, more captures of the same teach a model nothing new. */
export function isFormality({ captures, proposals, kept, moved, added }: Agreement): boolean {
  return captures >= ENOUGH_CAPTURES && proposals > 0 && (kept - moved) / (proposals + added) > NEARLY_ALL;
}
