// /v1/streams: list, add, look at one. stream-change-routes.ts has what is done to one.
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { Pipeline } from "../../pipeline/pipeline.ts";
import { json, jsonBody, numberText, problems, readsJson, SECURED } from "../api/api-route.ts";
import { callerOf, requireStream, sees } from "../access/caller.ts";
import { taggedJson } from "../api/entity-tag.ts";
import { permitted, type StreamLimits } from "./permitted-stream.ts";
import { NewStream, StreamInfo } from "../protocol.ts";
import type { StreamChanges } from "./stream-changes.ts";
import type { StreamRegister } from "./stream-register.ts";
import { streamInfo } from "./streams.ts";

const tags = ["Streams"];
const params = z.object({ id: z.string().describe("The stream's id.") });
const headers = z.object({
  "if-none-match": z.string().optional().describe("The ETag of an answer that you have: 304 if it would be the same."),
});
const NOT_MODIFIED = { description: "What If-None-Match named is as it was." };

const listRoute = createRoute({
  method: "get",
  path: "/v1/streams",
  tags,
  summary: "List the streams",
  description:
    "In the order in which they were added. With `limit`, the header Link has the way to the next page, where there is one.",
  security: SECURED,
  request: {
    headers,
    query: z.object({
      limit: numberText(z.int().min(1).max(1000)).optional().describe("The most that are listed; all when absent."),
      cursor: z.string().max(64).optional().describe("Where the page begins; from the Link of the page before."),
    }),
  },
  responses: { 200: json(z.array(StreamInfo), "How each one is doing."), 304: NOT_MODIFIED },
});

const addRoute = createRoute({
  method: "post",
  path: "/v1/streams",
  tags,
  summary: "Add a stream",
  description: "It is connected to at once, and again whenever it is lost; its state says how that goes.",
  security: SECURED,
  middleware: readsJson(),
  request: { body: jsonBody(NewStream) },
  responses: {
    201: json(StreamInfo, "It was added. The header Location has its path."),
    ...problems("STREAM_BAD_SCHEME", "FILE_NOT_FOUND", "LABEL_UNKNOWN", "FILE_NOT_ALLOWED", "STREAM_EXISTS"),
    ...problems("STREAM_BAD_URL", "ADDRESS_FORBIDDEN", "STREAM_NOT_YOURS", "STORE_UNAVAILABLE"),
  },
});

const lookRoute = createRoute({
  method: "get",
  path: "/v1/streams/{id}",
  tags,
  summary: "Look at a stream",
  description:
    "Its ETag goes into If-Match of a change, which is then refused if its settings have been changed since.",
  security: SECURED,
  request: { params, headers },
  responses: { 200: json(StreamInfo, "How it is doing."), 304: NOT_MODIFIED, ...problems("STREAM_UNKNOWN") },
});

export function streamRoutes(
  pipeline: Pipeline,
  changes: StreamChanges,
  register: StreamRegister,
  limits: StreamLimits,
): OpenAPIHono {
  const app = new OpenAPIHono();

  app.openapi(listRoute, (c) => {
    const { limit, cursor } = c.req.valid("query");
    const { streams, next } = register.page(limit ?? Infinity, cursor, (id) => sees(callerOf(c), id));
    if (next !== undefined) c.header("Link", `</v1/streams?limit=${limit}&cursor=${next}>; rel="next"`);
    return taggedJson(
      c,
      streams.map((status) => streamInfo(pipeline, status)),
    );
  });

  app.openapi(addRoute, async (c) => {
    requireStream(callerOf(c), c.req.valid("json").id);
    const stream = await permitted(c.req.valid("json"), limits);
    await changes.add(stream);
    c.header("Location", `/v1/streams/${stream.id}`);
    return c.json(streamInfo(pipeline, pipeline.status(stream.id)), 201);
  });

  app.openapi(lookRoute, (c) => {
    const { id } = c.req.valid("param");
    const info = streamInfo(pipeline, pipeline.status(id));
    return taggedJson(c, info, `${register.revision(id)}-`);
  });

  return app;
}
