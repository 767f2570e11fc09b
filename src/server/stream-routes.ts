// /v1/streams: list, add, look, remove.
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { Config } from "../config.ts";
import { MultiboxError } from "../errors.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";
import { redactUrl, schemeOf, type StreamConfig } from "../pipeline/stream.ts";
import { json, jsonBody, problems, readsJson, SECURED } from "./api-route.ts";
import { allowedFile } from "./file-access.ts";
import { NewStream, StreamInfo } from "./protocol.ts";
import { streamInfo, streamInfos } from "./streams.ts";

const tags = ["Streams"];
const params = z.object({ id: z.string().describe("The stream's id.") });

const listRoute = createRoute({
  method: "get",
  path: "/v1/streams",
  tags,
  summary: "List all streams",
  description: "In the order in which they were added.",
  security: SECURED,
  responses: { 200: json(z.array(StreamInfo), "How each one is doing.") },
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
    ...problems("STREAM_BAD_SCHEME", "FILE_NOT_FOUND", "FILE_NOT_ALLOWED", "STREAM_EXISTS"),
  },
});

const lookRoute = createRoute({
  method: "get",
  path: "/v1/streams/{id}",
  tags,
  summary: "Look at a stream",
  security: SECURED,
  request: { params },
  responses: { 200: json(StreamInfo, "How it is doing."), ...problems("STREAM_UNKNOWN") },
});

const removeRoute = createRoute({
  method: "delete",
  path: "/v1/streams/{id}",
  tags,
  summary: "Remove a stream",
  security: SECURED,
  request: { params },
  responses: { 204: { description: "It is gone, and nothing of it runs any more." }, ...problems("STREAM_UNKNOWN") },
});

export function streamRoutes(pipeline: Pipeline, config: Pick<Config, "fileRoots">): OpenAPIHono {
  const app = new OpenAPIHono();

  app.openapi(listRoute, (c) => c.json(streamInfos(pipeline), 200));

  app.openapi(addRoute, async (c) => {
    const stream = await permitted(c.req.valid("json"), config.fileRoots);
    pipeline.add(stream);
    c.header("Location", `/v1/streams/${stream.id}`);
    return c.json(streamInfo(pipeline, pipeline.status(stream.id)), 201);
  });

  app.openapi(lookRoute, (c) => c.json(streamInfo(pipeline, pipeline.status(c.req.valid("param").id)), 200));

  app.openapi(removeRoute, async (c) => {
    await pipeline.remove(c.req.valid("param").id);
    return c.body(null, 204);
  });

  return app;
}

/** Fails with STREAM_BAD_SCHEME, FILE_NOT_ALLOWED or FILE_NOT_FOUND. A file's path is made absolute, its links followed. */
async function permitted(stream: StreamConfig, fileRoots: readonly string[]): Promise<StreamConfig> {
  const scheme = schemeOf(stream.url);
  if (scheme === undefined) {
    throw new MultiboxError(
      "STREAM_BAD_SCHEME",
      `"${redactUrl(stream.url)}" cannot be a stream: only rtsp, rtsps, http, https and paths of files can.`,
      "For a file, give its path alone.",
    );
  }
  return scheme === "file" ? { ...stream, url: await allowedFile(stream.url, fileRoots) } : stream;
}
