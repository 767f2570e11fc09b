// Models and their versions, as they lie on disk and as HTTP tells of them.
import { z } from "zod";
import { recordOf } from "../../record-of.ts";
import { Verdict } from "../../training/verdict.ts";

const facts = {
  created: z.string().describe("ISO 8601."),
  parent: z.string().describe("What its training began with: a name, or a name and a version, `yard@3`."),
  metrics: recordOf(z.string(), z.number()).describe(
    "On the validation pictures: `AP`, `AP50` and so on, as `multibox evaluate` has them.",
  ),
  parentMetrics: recordOf(z.string(), z.number()).optional().describe("Of its parent, on the same pictures."),
  offered: z
    .boolean()
    .describe(
      "Whether it is not worse than its parent, as far as `verdict` can tell; others are only activated by force.",
    ),
  verdict: Verdict.optional().describe("Absent in a version that an older multibox has trained."),
  data: z.strictObject({ hash: z.string(), pictures: z.int() }).describe("Of the data set that it learned from."),
  settings: recordOf(z.string(), z.unknown()).describe("Of its training, with `split`: how the data were split."),
};

/** Of `version.json`, as it is written. Format 1 has no verdict. */
export const VERSION_FORMAT = 2;
/** `version.json`, beside a version's model. */
export const VersionFile = z.strictObject({ format: z.union([z.literal(1), z.literal(VERSION_FORMAT)]), ...facts });
export type VersionFile = z.infer<typeof VersionFile>;

/** Which version a name means; 0 is the one that multibox fetches by that name. */
export const InUse = z.strictObject({
  version: z.int().nonnegative(),
  previous: z.int().nonnegative().optional().describe("What a rollback goes back to."),
});
export type InUse = z.infer<typeof InUse>;

/** Of a model, so that no number is given again. */
export const Numbers = z.strictObject({ last: z.int().nonnegative() });

export const ModelVersion = z.strictObject({
  name: z.string(),
  version: z.int().describe("What messages, metrics and captures call `version`, too."),
  labels: z.array(z.string()),
  ...facts,
});
export type ModelVersion = z.infer<typeof ModelVersion>;

export const ModelInfo = z.strictObject({
  name: z.string(),
  inUse: InUse,
  fetched: z
    .boolean()
    .describe(
      "Whether there is a version 0, which multibox fetches. Those trained here are counted on from what it calls itself.",
    ),
  fetchedVersion: z.string().optional().describe("What messages call version 0; absent where there is none."),
  running: z.boolean().describe("Whether streams go through it now."),
  versions: z.array(ModelVersion).describe("Newest first."),
});
export type ModelInfo = z.infer<typeof ModelInfo>;

export const Activation = z.strictObject({
  force: z.boolean().default(false).describe("Take it even where it is not offered."),
});

/** What changes for streams when a version is brought into use. */
export const ActivationImpact = z.strictObject({
  lost: z.array(z.string()).describe("Labels of the version in use that this one does not have."),
  added: z.array(z.string()).describe("Labels that the version in use does not have."),
  streams: z
    .array(
      z.strictObject({
        id: z.string(),
        labels: z.array(z.string()).describe("That its settings name and this version does not have."),
        blind: z.boolean().describe("Whether nothing can pass its filter any more."),
        warnings: z.array(z.string()).describe("For people."),
      }),
    )
    .describe("Streams of this model whose settings name labels that this version does not have."),
});
export type ActivationImpact = z.infer<typeof ActivationImpact>;

export const Activated = z.strictObject({
  ...InUse.shape,
  warnings: z.array(z.string()).describe("Labels that are lost with the change, and streams that name them."),
});
export type Activated = z.infer<typeof Activated>;
