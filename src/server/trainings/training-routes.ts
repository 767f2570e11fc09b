// /v1/trainings: what trainings there are, how far they are, their reports; breaking one off, and deleting it.
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { MultiboxError } from "../../errors.ts";
import { json, problems, SECURED, TicketQuery, TokenQuery } from "../api/api-route.ts";
import { JobState } from "../jobs/job-schemas.ts";
import { REPORT_ANSWER, reportResponse } from "../models/report.ts";
import type { ModelStore } from "../models/model-store.ts";
import { TrainingDetail, TrainingInfo } from "./training-schemas.ts";
import type { Trainings } from "./trainings.ts";

const tags = ["Trainings"];
const params = z.object({ id: z.string().describe("The training's id.") });

const listRoute = createRoute({
  method: "get",
  path: "/v1/trainings",
  tags,
  summary: "List trainings",
  security: SECURED,
  request: {
    query: z.strictObject({ state: JobState.optional().describe("Only those; all when absent.") }),
  },
  responses: { 200: json(z.array(TrainingInfo), "Newest first.") },
});

const lookRoute = createRoute({
  method: "get",
  path: "/v1/trainings/{id}",
  tags,
  summary: "Look at a training",
  security: SECURED,
  request: { params },
  responses: { 200: json(TrainingDetail, "How it is doing."), ...problems("TRAINING_UNKNOWN") },
});

const reportRoute = createRoute({
  method: "get",
  path: "/v1/trainings/{id}/report",
  tags,
  summary: "See what a training came to",
  description: "One page with curves and example pictures, once it is done.",
  security: SECURED,
  request: { params, query: z.strictObject({ token: TokenQuery, ticket: TicketQuery }) },
  responses: { 200: REPORT_ANSWER, ...problems("TRAINING_UNKNOWN", "RESULT_UNKNOWN") },
});

const cancelRoute = createRoute({
  method: "post",
  path: "/v1/trainings/{id}/cancel",
  tags,
  summary: "Break off a training",
  description: "Nothing of it is kept. One that has ended stays as it is.",
  security: SECURED,
  request: { params },
  responses: { 200: json(TrainingInfo, "It has ended."), ...problems("TRAINING_UNKNOWN") },
});

const resumeRoute = createRoute({
  method: "post",
  path: "/v1/trainings/{id}/resume",
  tags,
  summary: "Go on with a training that has failed",
  description:
    "From its last checkpoint, on the same captures, once the cause of its `error` is mended: a full disk, a data set that was not there. One that waits or runs stays as it is.",
  security: SECURED,
  request: { params },
  responses: {
    202: json(TrainingInfo, "It is queued, or runs already where no other does."),
    ...problems("TRAINING_UNKNOWN", "TRAINING_NOT_RESUMABLE", "FOLDER_UNAVAILABLE"),
  },
});

const removeRoute = createRoute({
  method: "delete",
  path: "/v1/trainings/{id}",
  tags,
  summary: "Delete a training",
  description:
    "It is broken off first where it has not ended. What one that has failed has left goes, too; the version that one has made stays.",
  security: SECURED,
  request: { params },
  responses: { 204: { description: "It is gone." }, ...problems("TRAINING_UNKNOWN") },
});

export function trainingRoutes(trainings: Trainings, models: ModelStore): OpenAPIHono {
  const app = new OpenAPIHono();

  app.openapi(listRoute, (c) => c.json(trainings.list(c.req.valid("query")), 200));

  app.openapi(lookRoute, (c) => c.json(trainings.detail(c.req.valid("param").id), 200));

  app.openapi(reportRoute, async (c) => {
    const { id, name, version, state } = trainings.get(c.req.valid("param").id);
    if (version !== undefined) return reportResponse(models, name, version);
    throw new MultiboxError("RESULT_UNKNOWN", `The training "${id}" is ${state}, and there is no report of it.`);
  });

  app.openapi(cancelRoute, async (c) => c.json(await trainings.cancel(c.req.valid("param").id), 200));

  app.openapi(resumeRoute, async (c) => c.json(await trainings.resume(c.req.valid("param").id), 202));

  app.openapi(removeRoute, async (c) => {
    await trainings.remove(c.req.valid("param").id);
    return c.body(null, 204);
  });

  return app;
}
