// All that a training needs to go on as if it had never stopped, in one file that is either whole or the one before.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { MultiboxError } from "../errors.ts";
import { requireFormat } from "../file-format.ts";
import type { Bundle } from "../model/bundle.ts";
import { metadataOf } from "../model/export/safetensors.ts";
import { readSafetensors, type Tensor, type Tensors, writeSafetensors } from "../model/weights/safetensors.ts";
import { writeWhole } from "../whole-file.ts";
import { EpochRecord } from "./train-events.ts";
import { recordOf } from "../record-of.ts";

/** How far a training is. */
export const TrainState = z.strictObject({
  epoch: z.int().describe("That is gone through now, from 0 on."),
  step: z.int().describe("Of the epoch, that comes next."),
  boxLoss: z.number().describe("Sum over the epoch's steps so far."),
  classLoss: z.number(),
  seconds: z.number().describe("Of the epoch so far."),
  history: z.array(EpochRecord),
});
export type TrainState = z.infer<typeof TrainState>;

/** What a training is of; another one must not go on with its checkpoint. */
export const TrainIdentity = z.strictObject({
  data: z.string().describe("Hash of the data."),
  parent: z.string().describe("Hash of the parent's weights."),
  settings: recordOf(z.string(), z.unknown()),
});
export type TrainIdentity = z.infer<typeof TrainIdentity>;

/** The kinds of tensors that are kept, each by the weights' names. */
export interface TrainTensors {
  readonly weights: Tensors;
  readonly velocities: Tensors;
  readonly average?: Tensors | undefined;
  /** Of the best epoch so far. */
  readonly best?: Tensors | undefined;
}

export interface Checkpoint {
  readonly state: TrainState;
  readonly tensors: TrainTensors;
}

const json = z.string().transform((text): unknown => JSON.parse(text));
const FORMAT = 1;
const Format = z.object({ format: z.coerce.number().optional() });
const Metadata = z.object({ identity: json.pipe(TrainIdentity), state: json.pipe(TrainState) });
const KINDS = ["weights", "velocities", "average", "best"] as const;

/** Fails with DISK_FULL or NOT_WRITABLE; then the checkpoint from before is still there. */
export async function writeCheckpoint(
  path: string,
  identity: TrainIdentity,
  { state, tensors }: Checkpoint,
): Promise<void> {
  const all = KINDS.flatMap((kind) =>
    [...(tensors[kind] ?? [])].map(([name, tensor]): [string, Tensor] => [`${kind}/${name}`, tensor]),
  );
  const metadata = { format: String(FORMAT), identity: JSON.stringify(identity), state: JSON.stringify(state) };
  await writeWhole(path, [writeSafetensors(new Map(all), metadata)]).catch((cause: unknown) => {
    if (!(cause instanceof MultiboxError)) throw cause;
    const hint = "Make room, then go on from the checkpoint before with --resume.";
    throw new MultiboxError(cause.code, cause.message, hint, { cause });
  });
}

export interface FoundCheckpoint extends Checkpoint {
  /** What the run began with. Settings that are newer than the run are absent. */
  readonly identity: TrainIdentity;
}

/** Undefined where there is none. Fails with CHECKPOINT_UNREADABLE or FILE_NEWER. */
export async function readCheckpoint(path: string): Promise<FoundCheckpoint | undefined> {
  if (!existsSync(path)) return undefined;
  const bytes = await readFile(path);
  const { tensors, state, identity } = parse(bytes, path);
  const kindOf = (kind: string): Tensors =>
    new Map(
      [...tensors].flatMap(([name, tensor]) =>
        name.startsWith(`${kind}/`) ? [[name.slice(kind.length + 1), tensor]] : [],
      ),
    );
  const [average, best] = [kindOf("average"), kindOf("best")];
  return {
    identity,
    state,
    tensors: {
      weights: kindOf("weights"),
      velocities: kindOf("velocities"),
      ...(average.size > 0 && { average }),
      ...(best.size > 0 && { best }),
    },
  };
}

function parse(bytes: Uint8Array, path: string): { tensors: Tensors } & z.infer<typeof Metadata> {
  try {
    const tensors = readSafetensors(bytes, path);
    const metadata = metadataOf(bytes);
    const { format } = Format.parse(metadata);
    requireFormat({ format }, path, FORMAT);
    return { tensors, ...Metadata.parse(metadata) };
  } catch (cause) {
    if (cause instanceof MultiboxError && cause.code === "FILE_NEWER") throw cause;
    const hint = "Restart with --force.";
    throw new MultiboxError("CHECKPOINT_UNREADABLE", `${path} is no whole checkpoint of a training.`, hint, { cause });
  }
}

/** SHA-256 over a model's weights, in hexadecimal digits. */
export function weightsHash({ weights, spec }: Pick<Bundle, "weights" | "spec">): string {
  const digest = createHash("sha256").update(JSON.stringify(spec));
  for (const [name, { data }] of weights) {
    digest.update(name).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return digest.digest("hex");
}

/**
 * What a run split by that was begun before there was splitting by time (version 0.1.0); undefined for other runs. It resumes on the same two
 * sides.
 */
export function formerSplit({ settings }: TrainIdentity): "hash" | "day" | undefined {
  if (settings["nearIdentical"] !== undefined) return undefined;
  return settings["splitBy"] === "day" ? "day" : "hash";
}

/** Fails with RESUME_MISMATCH where a checkpoint is of another training. */
export function requireSame(path: string, had: TrainIdentity, now: TrainIdentity): void {
  // Runs from before these settings existed resume as they began, to the same bits.
  const isOld = had.settings["unlabelled"] === undefined;
  const former = formerSplit(had);
  const hint = isOld
    ? "Give the settings that it began with, or restart with --force. Its default was --labels data."
    : "Call it as before, or restart with --force.";
  const mismatch = (why: string): MultiboxError => new MultiboxError("RESUME_MISMATCH", `${path} ${why}.`, hint);
  const text = (value: unknown): string => JSON.stringify(value) ?? "nothing";
  for (const name of new Set([...Object.keys(had.settings), ...Object.keys(now.settings)])) {
    if (name === "unlabelled" && isOld) continue;
    if (name === "nearIdentical" && former !== undefined) continue;
    // Chosen when the run began.
    if (name === "epochs" && had.settings["minutes"] !== undefined) continue;
    if (name === "leastPatch" && now.settings[name] === undefined) continue;
    if (name === "splitBy" && former !== undefined && now.settings[name] === "auto") continue;
    const [before, asked] = [text(had.settings[name]), text(now.settings[name])];
    if (before !== asked) throw mismatch(`is of a training with ${name} ${before}, and ${asked} is asked for`);
  }
  if (had.data !== now.data) throw mismatch("is of a training on other data, or these were changed");
  if (had.parent !== now.parent) throw mismatch("is of a training that began with another model");
}
