// /v1/jobs: what annotation jobs there are, how far they are, their results; breaking one off, and deleting it.
import { join } from "node:path";
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { MultiboxError } from "../../errors.ts";
import { json, numberText, problems, SECURED, TicketQuery, TokenQuery } from "../api/api-route.ts";
import { fileResponse } from "../api/download.ts";
import { RESULTS } from "./job-results.ts";
import { JobInfo, JobList, JobState } from "./job-schemas.ts";
import type { Jobs } from "./jobs.ts";

const tags = ["Jobs"];
const params = z.object({ id: z.string().describe("The job's id.") });

const listRoute = createRoute({
  method: "get",
  path: "/v1/jobs",
  tags,
  summary: "List annotation jobs",
  security: SECURED,
  request: {
    query: z.strictObject({
      state: JobState.optional().describe("Only those; all when absent."),
      limit: numberText(z.int().min(1).max(1000)).default(100).describe("The most that are listed."),
      cursor: z.string().optional().describe("The `next` of the page before."),
    }),
  },
  responses: { 200: json(JobList, "Those that match, newest first.") },
});

const lookRoute = createRoute({
  method: "get",
  path: "/v1/jobs/{id}",
  tags,
  summary: "Look at a job",
  security: SECURED,
  request: { params },
  responses: { 200: json(JobInfo, "How it is doing."), ...problems("JOB_UNKNOWN") },
});

const resultRoute = createRoute({
  method: "get",
  path: "/v1/jobs/{id}/results/{name}",
  tags,
  summary: "Download a result",
  description: "Parts of it too: `Range: bytes=1000-`, with `If-Range` where the download is gone on with.",
  security: SECURED,
  request: {
    params: z.object({ id: z.string().describe("The job's id."), name: z.string().describe("As `results` names it.") }),
    query: z.strictObject({ token: TokenQuery, ticket: TicketQuery }),
  },
  responses: {
    200: {
      description: "The file.",
      content: { "application/octet-stream": { schema: { type: "string", format: "binary" } } },
    },
    206: { description: "The part that was asked for." },
    ...problems("JOB_UNKNOWN", "RESULT_UNKNOWN", "RANGE_UNSATISFIABLE", "FOLDER_UNAVAILABLE"),
  },
});

const cancelRoute = createRoute({
  method: "post",
  path: "/v1/jobs/{id}/cancel",
  tags,
  summary: "Break off a job",
  description: "Nothing of it is kept. One that has ended stays as it is.",
  security: SECURED,
  request: { params },
  responses: { 200: json(JobInfo, "It has ended."), ...problems("JOB_UNKNOWN") },
});

const removeRoute = createRoute({
  method: "delete",
  path: "/v1/jobs/{id}",
  tags,
  summary: "Delete a job",
  description: "It is broken off first where it has not ended.",
  security: SECURED,
  request: { params },
  responses: {
    204: { description: "It is gone, with its results." },
    ...problems("JOB_UNKNOWN", "FOLDER_UNAVAILABLE"),
  },
});

export function jobRoutes(jobs: Jobs): OpenAPIHono {
  const app = new OpenAPIHono();

  app.openapi(listRoute, (c) => {
    const { limit, cursor, state } = c.req.valid("query");
    const all = jobs.list({ state });
    // Ids begin with their time, so that a page goes on after its cursor even where that job is gone.
    const rest = cursor === undefined ? all : all.filter(({ id }) => id < cursor);
    const page = rest.slice(0, limit);
    const next = rest.length > limit ? page.at(-1)?.id : undefined;
    return c.json({ jobs: page, total: all.length, ...(next !== undefined && { next }) }, 200);
  });

  app.openapi(lookRoute, (c) => c.json(jobs.get(c.req.valid("param").id), 200));

  app.openapi(resultRoute, async (c) => {
    const { id, name } = c.req.valid("param");
    const { results } = jobs.get(id);
    const result = results.find((one) => one.name === name);
    if (!result) {
      const known = results.length > 0 ? `There are: ${results.map((one) => one.name).join(", ")}.` : "There are none.";
      throw new MultiboxError("RESULT_UNKNOWN", `The job "${id}" has no result "${name}".`, known);
    }
    const path = join(jobs.folderOf(id), RESULTS, name);
    await jobs.place.require();
    return await fileResponse({ path, name, bytes: result.bytes, tag: `${id}.${result.bytes}` }, c.req.raw);
  });

  app.openapi(cancelRoute, async (c) => c.json(await jobs.cancel(c.req.valid("param").id), 200));

  app.openapi(removeRoute, async (c) => {
    await jobs.remove(c.req.valid("param").id);
    return c.body(null, 204);
  });

  return app;
}
