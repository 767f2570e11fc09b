// What a look at captures with another detector finds, one event for each capture: printed by `multibox captures label --dry-run`, read by the server.
import { z } from "zod";
import { Capture } from "../../training/capture.ts";

/** More than a person can review, and what a correction over HTTP may hold. */
export const MOST_OBJECTS = 500;

const counted = {
  id: z.string(),
  /** How many captures were dealt with, this one included, and how many there are. */
  done: z.int(),
  total: z.int(),
};

export const ProposalEvent = z.discriminatedUnion("event", [
  z.object({
    event: z.literal("proposed"),
    ...counted,
    model: Capture.shape.model,
    /** Best score first. */
    proposed: Capture.shape.proposed.max(MOST_OBJECTS),
  }),
  /** A person had changed, accepted or skipped it before the look. */
  z.object({ event: z.literal("reviewed"), ...counted }),
  /** Its image is missing or damaged: a sentence that begins with the id. */
  z.object({ event: z.literal("unreadable"), ...counted, message: z.string() }),
]);
export type ProposalEvent = z.infer<typeof ProposalEvent>;
export type ProposedEvent = Extract<ProposalEvent, { event: "proposed" }>;

/** The last line: without it the look has failed, and standard error says why. */
export const ProposalEnd = z.object({ event: z.literal("done") });
