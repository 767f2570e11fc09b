// Proposals for captures as HTTP describes them, and what may be asked of them.
import { z } from "zod";
import { MOST_TILES, parseGrid } from "../../model/tiles.ts";
import { ErrorBody } from "../api/error-body.ts";
import { ModelReference } from "../models/named-model.ts";
import { plainText } from "../plain-text.ts";
import { StreamId } from "../protocol.ts";

/** `POST /v1/captures/proposals`. */
export const NewProposals = z.strictObject({
  model: ModelReference.optional().describe(
    "What looks at the captures: a name, which means its version in use, or name@version; the server's own model when absent.",
  ),
  regions: z
    .string()
    .regex(/^\d{1,3}x\d{1,3}$/, "must be columns x rows, for example 3x2")
    .refine((text) => parseGrid(text) !== undefined, `must have 1 to ${MOST_TILES} columns and rows`)
    .default("2x2")
    .describe("Tiles of each image to look at besides the whole, for small objects; 1x1 for the whole image alone."),
  labels: z.array(plainText(100)).min(1).max(1000).optional().describe("Only these are proposed; all when absent."),
  minScore: z.number().min(0).max(1).default(0.4).describe("Leave out detections below."),
  stream: StreamId.optional().describe("Only captures of this stream; all when absent."),
});
export type NewProposals = z.infer<typeof NewProposals>;
/** As it is sent: what is left out has its default. */
export type ProposalsRequest = z.input<typeof NewProposals>;

export const ProposalsInfo = z
  .strictObject({
    state: z
      .enum(["idle", "running", "done", "failed", "cancelled"])
      .describe("idle: none were made since the server started. Then all other fields are absent."),
    model: z.string().optional().describe("What looks at the captures: name@version, 0 for the fetched one."),
    regions: z.string().optional().describe("Tiles beside and above each other: 3x2."),
    total: z.int().optional().describe("Captures that nobody had reviewed when it started."),
    done: z.int().optional().describe("Of these, how many were dealt with."),
    captures: z.int().optional().describe("Captures with new proposals."),
    boxesBefore: z.int().optional().describe("How many boxes these had before."),
    boxes: z.int().optional().describe("How many boxes these have now."),
    reviewed: z
      .int()
      .optional()
      .describe("Captures that somebody has reviewed or deleted meanwhile: they were left alone."),
    failed: z.int().optional().describe("Captures whose image could not be read."),
    failures: z.array(z.string()).optional().describe("A sentence about each of the first 20 of these."),
    started: z.string().optional().describe("ISO 8601."),
    ended: z.string().optional().describe("ISO 8601."),
    error: ErrorBody.optional().describe("Why it failed. Captures that had new proposals by then keep them."),
  })
  .meta({ id: "Proposals" });
export type ProposalsInfo = z.infer<typeof ProposalsInfo>;

/** As `multibox captures agreement --json` prints it. */
export const AgreementInfo = z
  .strictObject({
    captures: z.int().describe("Captures that were accepted; imported ones had no proposals, and do not count."),
    unchanged: z.int().describe("Captures whose proposals all stand as they were made."),
    proposals: z.int().describe("Boxes that were proposed."),
    kept: z.int().describe("Proposals that stand, as they were made or moved."),
    moved: z.int().describe("Of these, those whose box was moved."),
    removed: z.int().describe("Proposals that were deleted or have another label."),
    added: z.int().describe("Objects that were drawn, or have another label than was proposed."),
  })
  .meta({ id: "Agreement" });
