// POST /v1/trainings: a training on the captures that were accepted, or on a data set that the server has.
import { copyFile, link } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { createRoute, OpenAPIHono } from "@hono/zod-openapi";
import { countOf } from "../../count.ts";
import type { Config } from "../../config.ts";
import { MultiboxError, systemCode } from "../../errors.ts";
import type { Detector } from "../../model/detector.ts";
import { captureFiles } from "../../training/capture-set.ts";
import { json, jsonBody, problems, readsJson, SECURED } from "../api/api-route.ts";
import type { CaptureStore } from "../captures/capture-store.ts";
import { allowedFolder } from "../access/file-access.ts";
import { type NamedModels, resolveModel } from "../models/named-model.ts";
import { NewTraining, ServerTrainSettings, TrainingInfo } from "./training-schemas.ts";
import { CAPTURES, type Trainings } from "./trainings.ts";

export interface TrainingCreateDeps {
  readonly trainings: Pick<Trainings, "create">;
  readonly captures: CaptureStore;
  readonly models: NamedModels;
  readonly detector: Pick<Detector, "info">;
  readonly config: Pick<Config, "fileRoots">;
}

const route = createRoute({
  method: "post",
  path: "/v1/trainings",
  tags: ["Trainings"],
  summary: "Train a model",
  description:
    "In the background, at the lowest priority, one at a time. Captures are taken as they are now. What is learnt becomes a version of the model, which is not brought into use by itself.",
  security: SECURED,
  middleware: readsJson(),
  request: { body: jsonBody(NewTraining) },
  responses: {
    202: json(
      TrainingInfo,
      "It is queued, or runs already where no other does. The header Location has its path, the WebSocket tells how it goes on.",
    ),
    ...problems("BAD_REQUEST", "FILE_NOT_FOUND", "FILE_NOT_ALLOWED", "MODEL_UNKNOWN", "VERSION_UNKNOWN"),
    ...problems("NO_ACCEPTED_CAPTURES", "TRAININGS_FULL", "DISK_FULL", "FOLDER_UNAVAILABLE"),
  },
});

export function trainingCreateRoute(deps: TrainingCreateDeps): OpenAPIHono {
  const { trainings, captures, config } = deps;
  return new OpenAPIHono().openapi(route, async (c) => {
    const asked = c.req.valid("json");
    const from = resolveModel(asked.from, deps.models);
    const name = asked.name ?? nameOf(from, deps);
    const settings = ServerTrainSettings.parse(asked.settings ?? {});
    // Noted as a number, because another number of threads would give other bits after a restart.
    const threads = settings.threads || Math.max(1, Math.floor(availableParallelism() / 2));
    const folders = await foldersOf(asked, config.fileRoots);
    const training = await trainings.create(async (folder) => {
      const count = asked.data === undefined ? await keepCaptures(captures, join(folder, CAPTURES)) : undefined;
      const data = count === undefined ? {} : { captures: count };
      return { name, from, ...folders, ...data, settings: { ...settings, threads } };
    });
    c.header("Location", `/v1/trainings/${training.id}`);
    return c.json(training, 202);
  });
}

/** Of a folder's model, how that calls itself. */
function nameOf(from: string, { models, detector }: TrainingCreateDeps): string {
  const name = from === resolve(models.defaultModel) ? detector.info.model.name : from.replace(/@\d+$/, "");
  const parsed = NewTraining.shape.name.safeParse(name);
  if (parsed.success) return name;
  const sentence = `The model "${name}" has no name that versions could have.`;
  throw new MultiboxError("BAD_REQUEST", sentence, "Give what is learnt a name.");
}

async function foldersOf(
  asked: NewTraining,
  roots: readonly string[],
): Promise<Pick<NewTraining, "data" | "validation" | "replay">> {
  const given = (["data", "validation", "replay"] as const).flatMap((key) => {
    const path = asked[key];
    return path === undefined ? [] : [{ key, path }];
  });
  const allowed = await Promise.all(
    given.map(async ({ key, path }) => [key, await allowedFolder(path, roots)] as const),
  );
  return Object.fromEntries(allowed);
}

/**
 * The accepted captures as they are now, so that a training that is gone on with is on the same ones. They cost no space: a picture never
 * changes, and what is known of it is never written into, but replaced. Fails with NO_ACCEPTED_CAPTURES or FOLDER_UNAVAILABLE.
 */
async function keepCaptures(captures: CaptureStore, folder: string): Promise<number> {
  await captures.place.require();
  let count = 0;
  for (const { id } of captures.list({ status: "accepted" })) {
    const [from, to] = [captureFiles(captures.folder, id), captureFiles(folder, id)];
    if ((await keepFile(from.picture, to.picture)) && (await keepFile(from.sidecar, to.sidecar))) count += 1;
  }
  if (count > 0) return count;
  const sentence =
    captures.size.count === 0
      ? "There are no captures yet."
      : `Of ${countOf(captures.size.count, "capture")} none has been accepted.`;
  throw new MultiboxError("NO_ACCEPTED_CAPTURES", sentence, "Keep some, and review them on the page first.");
}

/** False where it was deleted meanwhile. */
async function keepFile(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to).catch((error: unknown) => {
      // Not every file system has links.
      if (systemCode(error) === "ENOENT" || systemCode(error) === "ENOSPC") throw error;
      return copyFile(from, to);
    });
    return true;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return false;
    throw error;
  }
}
