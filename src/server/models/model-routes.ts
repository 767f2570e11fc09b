// /v1/models: what there is, which versions are in use, and changing that while streams run.
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { MultiboxError } from "../../errors.ts";
import { ZOO } from "../../model/zoo.ts";
import type { Pipeline } from "../../pipeline/pipeline.ts";
import { json, jsonBody, numberText, problems, readsJson, SECURED, TicketQuery, TokenQuery } from "../api/api-route.ts";
import type { Proposals } from "../captures/proposals.ts";
import { StreamId } from "../protocol.ts";
import type { Activator } from "./activation.ts";
import { activationImpact, impactWarnings } from "./activation-impact.ts";
import { Activated, Activation, ActivationImpact, type InUse, ModelInfo } from "./model-schemas.ts";
import { inUseError, type ModelStore } from "./model-store.ts";
import type { TrainingInfo } from "../trainings/training-schemas.ts";
import type { Trainings } from "../trainings/trainings.ts";
import { REPORT_ANSWER, reportResponse } from "./report.ts";

const tags = ["Models"];
const params = z.object({ name: StreamId.describe("The model's name.") });
const versionParams = params.extend({ version: numberText(z.int().nonnegative()).describe("0 is the fetched one.") });

const listRoute = createRoute({
  method: "get",
  path: "/v1/models",
  tags,
  summary: "List models and their versions",
  security: SECURED,
  responses: {
    200: json(z.array(ModelInfo), "Those that run, those that were trained here, those that can be fetched."),
  },
});

const lookRoute = createRoute({
  method: "get",
  path: "/v1/models/{name}",
  tags,
  summary: "Look at a model",
  security: SECURED,
  request: { params },
  responses: { 200: json(ModelInfo, "With its versions."), ...problems("MODEL_UNKNOWN") },
});

const activateRoute = createRoute({
  method: "post",
  path: "/v1/models/{name}/versions/{version}/activate",
  tags,
  summary: "Bring a version into use",
  description:
    "It is opened and warmed beside the one in use, then takes its place between two batches: no frame is lost, and each stream's messages change their version once. Kept over a restart.",
  security: SECURED,
  middleware: readsJson(),
  request: { params: versionParams, body: jsonBody(Activation) },
  responses: {
    200: json(
      Activated,
      "What is in use now, what a rollback goes back to, and which labels are lost with the change.",
    ),
    ...problems("MODEL_UNKNOWN", "VERSION_UNKNOWN", "VERSION_NOT_OFFERED", "MODEL_BUSY", "MODEL_NOT_FOUND"),
    ...problems("MODEL_CORRUPT", "FOLDER_UNAVAILABLE"),
  },
});

const impactRoute = createRoute({
  method: "get",
  path: "/v1/models/{name}/versions/{version}/impact",
  tags,
  summary: "See what activating a version would change",
  description: "The labels that streams would lose, and the streams whose settings name them.",
  security: SECURED,
  request: { params: versionParams },
  responses: {
    200: json(ActivationImpact, "Against the version in use."),
    ...problems("MODEL_UNKNOWN", "VERSION_UNKNOWN"),
  },
});

const rollbackRoute = createRoute({
  method: "post",
  path: "/v1/models/{name}/rollback",
  tags,
  summary: "Go back to the version before",
  security: SECURED,
  request: { params },
  responses: {
    200: json(Activated, "What is in use now, and which labels are lost with the change."),
    ...problems("MODEL_UNKNOWN", "NO_PREVIOUS", "MODEL_BUSY", "FOLDER_UNAVAILABLE"),
  },
});

const reportRoute = createRoute({
  method: "get",
  path: "/v1/models/{name}/versions/{version}/report",
  tags,
  summary: "See what a version's training came to",
  security: SECURED,
  request: { params: versionParams, query: z.strictObject({ token: TokenQuery, ticket: TicketQuery }) },
  responses: { 200: REPORT_ANSWER, ...problems("VERSION_UNKNOWN", "RESULT_UNKNOWN", "FOLDER_UNAVAILABLE") },
});

const removeRoute = createRoute({
  method: "delete",
  path: "/v1/models/{name}/versions/{version}",
  tags,
  summary: "Delete a version",
  security: SECURED,
  request: { params: versionParams },
  responses: {
    204: { description: "It is gone." },
    ...problems("VERSION_UNKNOWN", "VERSION_IN_USE", "FOLDER_UNAVAILABLE"),
  },
});

export interface ModelDeps {
  readonly store: ModelStore;
  readonly activator: Activator;
  readonly pipeline: Pick<Pipeline, "detector" | "list">;
  readonly trainings: Pick<Trainings, "list">;
  readonly proposals: Pick<Proposals, "runningModel">;
  readonly defaultModel: string;
  /** Names that multibox can fetch. */
  readonly fetchable: readonly string[];
}

export function modelRoutes(deps: ModelDeps): OpenAPIHono {
  const { store, activator, pipeline, trainings, proposals, defaultModel, fetchable } = deps;
  const app = new OpenAPIHono();
  const names = (): string[] => [...new Set([...fetchable, ...store.names()])];
  const infoOf = async (name: string): Promise<ModelInfo> => ({
    name,
    inUse: store.inUse(name),
    fetched: fetchable.includes(name),
    fetchedVersion: ZOO.find(({ spec }) => spec.name === name)?.spec.version,
    running: (await pipeline.detector(name === defaultModel ? undefined : name)) !== undefined,
    versions: store.versions(name),
  });
  const known = (name: string): string => {
    if (names().includes(name)) return name;
    throw new MultiboxError("MODEL_UNKNOWN", `There is no model "${name}".`, `There are: ${names().join(", ")}.`);
  };

  app.openapi(listRoute, async (c) => c.json(await Promise.all(names().map(infoOf)), 200));

  app.openapi(lookRoute, async (c) => c.json(await infoOf(known(c.req.valid("param").name)), 200));

  /** Fails with MODEL_UNKNOWN or VERSION_UNKNOWN. */
  const impactOf = (name: string, version: number): Promise<ActivationImpact> => {
    if (version === 0 && !fetchable.includes(known(name))) store.version(name, version);
    return activationImpact({ store, pipeline, defaultModel }, known(name), version);
  };
  /** What the change costs is known before it is made. */
  const activated = async (name: string, version: number, activate: () => Promise<InUse>): Promise<Activated> => {
    const warnings = impactWarnings(await impactOf(name, version));
    return { ...(await activate()), warnings };
  };

  app.openapi(activateRoute, async (c) => {
    const { name, version } = c.req.valid("param");
    const { force } = c.req.valid("json");
    return c.json(await activated(name, version, () => activator.activate(name, version, force)), 200);
  });

  app.openapi(impactRoute, async (c) => {
    const { name, version } = c.req.valid("param");
    return c.json(await impactOf(name, version), 200);
  });

  app.openapi(rollbackRoute, async (c) => {
    const { name } = c.req.valid("param");
    const { previous } = store.inUse(known(name));
    const rollback = (): Promise<InUse> => activator.rollback(name);
    if (previous === undefined) return c.json({ ...(await rollback()), warnings: [] }, 200);
    return c.json(await activated(name, previous, rollback), 200);
  });

  app.openapi(reportRoute, (c) => {
    const { name, version } = c.req.valid("param");
    return reportResponse(store, name, version);
  });

  /** Fails with VERSION_IN_USE for a version that the settings, a stream, an unfinished training run or one of proposals name with its number. */
  const requireUnnamed = (name: string, version: number): void => {
    const model = `${name}@${version}`;
    if (defaultModel === model) throw inUseError(name, version, "is the server's own model");
    const stream = pipeline.list().find(({ config }) => config.model === model);
    if (stream) throw inUseError(name, version, `is the model of the stream "${stream.config.id}"`);
    const isOpen = ({ from, state }: TrainingInfo): boolean =>
      from === model && (state === "queued" || state === "running");
    const training = trainings.list().find(isOpen);
    if (training) throw inUseError(name, version, `is what the training run "${training.id}" begins with`);
    if (proposals.runningModel === model) throw inUseError(name, version, "makes proposals for captures");
  };

  app.openapi(removeRoute, async (c) => {
    const { name, version } = c.req.valid("param");
    await store.remove(name, version, () => requireUnnamed(name, version));
    return c.body(null, 204);
  });

  return app;
}
