// /v1/streams: list, add, look, remove, and the pictures of each.
import { Hono } from "hono";
import { z } from "zod";
import { MultiboxError } from "../errors.ts";
import { redactUrl, schemeOf, type StreamConfig } from "../pipeline/stream.ts";
import { allowedFile } from "./file-access.ts";
import { check, readJson } from "./body.ts";
import { mjpeg, MJPEG_TYPE, type LiveView } from "./mjpeg.ts";
import { NewStream } from "./protocol.ts";
import { streamInfo, streamInfos } from "./streams.ts";
import type { Config } from "../config.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";

const PictureQuery = z.strictObject({
  token: z.string().optional(),
  width: z.coerce.number().int().min(64).max(1920).optional(),
});

export function streamRoutes(pipeline: Pipeline, config: Pick<Config, "fileRoots">, view: LiveView): Hono {
  const app = new Hono();

  app.get("/", (c) => c.json(streamInfos(pipeline)));

  app.post("/", async (c) => {
    const stream = await permitted(await readJson(c.req.raw, NewStream), config.fileRoots);
    pipeline.add(stream);
    c.header("Location", `/v1/streams/${stream.id}`);
    return c.json(streamInfo(pipeline, pipeline.status(stream.id)), 201);
  });

  app.get("/:id", (c) => c.json(streamInfo(pipeline, pipeline.status(c.req.param("id")))));

  app.delete("/:id", async (c) => {
    await pipeline.remove(c.req.param("id"));
    return c.body(null, 204);
  });

  app.get("/:id/snapshot.jpg", async (c) => {
    const id = c.req.param("id");
    const width = pictureWidth(c.req.query());
    pipeline.status(id);
    const newest = await view.pictures.newest(() => view.latest.get(id), width);
    if (!newest) {
      throw new MultiboxError(
        "STREAM_NO_FRAME",
        `The stream "${id}" has had no frame yet.`,
        "Try again in a moment, or look at its state.",
      );
    }
    c.header("Content-Type", "image/jpeg");
    c.header("X-Multibox-Seq", String(newest.detected.seq));
    c.header("X-Multibox-Pts", String(newest.detected.frame.pts));
    return c.body(newest.jpeg.data);
  });

  app.get("/:id/live.mjpeg", (c) => {
    const id = c.req.param("id");
    const width = pictureWidth(c.req.query());
    pipeline.status(id);
    c.header("Content-Type", MJPEG_TYPE);
    // An answer to HEAD has no body, and one that nobody reads would never be ended.
    return c.req.method === "HEAD" ? c.body(null) : c.body(mjpeg(id, width, view));
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

function pictureWidth(query: Record<string, string>): number {
  return check(PictureQuery, query, "BAD_REQUEST", "The only parameter is width, in pixels.").width ?? Infinity;
}
