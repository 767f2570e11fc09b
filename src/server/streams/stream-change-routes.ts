// /v1/streams/{id}: change, pause, resume and remove one.
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { Pipeline } from "../../pipeline/pipeline.ts";
import { json, jsonBody, problems, readsJson, SECURED } from "../api/api-route.ts";
import { permitted, withoutShownUrl, type StreamLimits } from "./permitted-stream.ts";
import { StreamInfo, StreamPatch } from "../protocol.ts";
import type { StreamChanges } from "./stream-changes.ts";
import type { StreamRegister } from "./stream-register.ts";
import { streamInfo } from "./streams.ts";

const tags = ["Streams"];
const params = z.object({ id: z.string().describe("The stream's id.") });
const headers = z.object({
  "if-match": z
    .string()
    .optional()
    .describe("An ETag of the stream: refused with 412 if its settings have been changed since. Counts do not matter."),
});

const changeRoute = createRoute({
  method: "patch",
  path: "/v1/streams/{id}",
  tags,
  summary: "Change a stream",
  description: [
    "A JSON merge patch: what is absent stays as it is, `null` takes a setting back. A `url` that equals the one shown changes nothing.",
    "Decoding is restarted only where url, loop, transport or maxFps change; its counts and `seq` go on.",
  ].join(" "),
  security: SECURED,
  middleware: readsJson({ types: ["application/json", "application/merge-patch+json"] }),
  request: { params, headers, body: jsonBody(StreamPatch) },
  responses: {
    200: json(StreamInfo, "As it is now."),
    ...problems("STREAM_UNKNOWN", "STREAM_CHANGED", "STREAM_BAD_SCHEME", "STORE_UNAVAILABLE"),
    ...problems("STREAM_BAD_URL", "ADDRESS_FORBIDDEN", "FILE_NOT_ALLOWED", "FILE_NOT_FOUND", "LABEL_UNKNOWN"),
  },
});

const pauseRoute = createRoute({
  method: "post",
  path: "/v1/streams/{id}/pause",
  tags,
  summary: "Pause a stream",
  description: "It is kept, but nothing is decoded. Pausing it again changes nothing.",
  security: SECURED,
  request: { params },
  responses: { 200: json(StreamInfo, "As it is now."), ...problems("STREAM_UNKNOWN", "STORE_UNAVAILABLE") },
});

const resumeRoute = createRoute({
  method: "post",
  path: "/v1/streams/{id}/resume",
  tags,
  summary: "Go on after a pause",
  description: "Nothing changes where there was none.",
  security: SECURED,
  request: { params },
  responses: { 200: json(StreamInfo, "As it is now."), ...problems("STREAM_UNKNOWN", "STORE_UNAVAILABLE") },
});

const removeRoute = createRoute({
  method: "delete",
  path: "/v1/streams/{id}",
  tags,
  summary: "Remove a stream",
  security: SECURED,
  request: { params, headers },
  responses: {
    204: { description: "It is gone, and nothing of it runs any more." },
    ...problems("STREAM_UNKNOWN", "STREAM_CHANGED", "STORE_UNAVAILABLE"),
  },
});

export function streamChangeRoutes(
  pipeline: Pipeline,
  changes: StreamChanges,
  register: StreamRegister,
  limits: StreamLimits,
): OpenAPIHono {
  const app = new OpenAPIHono();

  app.openapi(changeRoute, async (c) => {
    const { id } = c.req.valid("param");
    const { config } = pipeline.status(id);
    const patch = await permitted(withoutShownUrl(c.req.valid("json"), config.url), limits);
    await changes.change(id, patch, () => register.checkMatch(id, c.req.valid("header")["if-match"]));
    return c.json(streamInfo(pipeline, pipeline.status(id)), 200);
  });

  app.openapi(pauseRoute, async (c) => {
    const { id } = c.req.valid("param");
    await changes.change(id, { paused: true });
    return c.json(streamInfo(pipeline, pipeline.status(id)), 200);
  });

  app.openapi(resumeRoute, async (c) => {
    const { id } = c.req.valid("param");
    await changes.change(id, { paused: null });
    return c.json(streamInfo(pipeline, pipeline.status(id)), 200);
  });

  app.openapi(removeRoute, async (c) => {
    const { id } = c.req.valid("param");
    await changes.remove(id, () => register.checkMatch(id, c.req.valid("header")["if-match"]));
    return c.body(null, 204);
  });

  return app;
}
