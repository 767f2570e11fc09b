// What a stream looks like now: one JPEG, or one after another.
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { merge, Observable } from "rxjs";
import type { Pipeline } from "../../pipeline/pipeline.ts";
import { numberText, problems, SECURED, TicketQuery, TokenQuery } from "../api/api-route.ts";
import type { Access } from "../access/access.ts";
import { callerOf } from "../access/caller.ts";
import { mjpeg, MJPEG_TYPE, type LiveView } from "./mjpeg.ts";
import { noFrame } from "./pictures.ts";

const tags = ["Streams"];
const request = {
  params: z.object({ id: z.string().describe("The stream's id.") }),
  query: z.strictObject({
    width: numberText(z.int().min(64).max(1920)).optional().describe("At most so wide; as it is when absent."),
    token: TokenQuery,
    ticket: TicketQuery,
  }),
};

const snapshotRoute = createRoute({
  method: "get",
  path: "/v1/streams/{id}/snapshot.jpg",
  tags,
  summary: "The newest detected frame",
  description: "The headers X-Multibox-Seq and X-Multibox-Pts say which one it is.",
  security: SECURED,
  request,
  responses: {
    200: { description: "The picture.", content: { "image/jpeg": { schema: { type: "string", format: "binary" } } } },
    ...problems("STREAM_UNKNOWN", "STREAM_NO_FRAME"),
  },
});

const liveRoute = createRoute({
  method: "get",
  path: "/v1/streams/{id}/live.mjpeg",
  tags,
  summary: "Each detected frame as it comes",
  description:
    "JPEG after JPEG in one answer that ends with the stream; a slow viewer sees fewer pictures, not older ones.",
  security: SECURED,
  request,
  responses: {
    200: { description: "The pictures.", content: { [MJPEG_TYPE]: { schema: { type: "string", format: "binary" } } } },
    ...problems("STREAM_UNKNOWN"),
  },
});

export function pictureRoutes(pipeline: Pipeline, view: LiveView, access: Pick<Access, "lease">): OpenAPIHono {
  const app = new OpenAPIHono();

  app.openapi(snapshotRoute, async (c) => {
    const { id } = c.req.valid("param");
    pipeline.status(id);
    const newest = await view.pictures.newest(() => view.latest.get(id), c.req.valid("query").width ?? Infinity);
    if (!newest) throw noFrame(id);
    c.header("Content-Type", "image/jpeg");
    c.header("X-Multibox-Seq", String(newest.detected.seq));
    c.header("X-Multibox-Pts", String(newest.detected.frame.pts));
    return c.body(newest.jpeg.data);
  });

  app.openapi(liveRoute, (c) => {
    const { id } = c.req.valid("param");
    pipeline.status(id);
    c.header("Content-Type", MJPEG_TYPE);
    const revoked = new Observable<void>((end) => access.lease(callerOf(c), () => end.next()));
    const closing = merge(view.closing, revoked);
    // An answer to HEAD has no body, and one that nobody reads would never be ended.
    if (c.req.method === "HEAD") return c.body(null);
    return c.body(mjpeg(id, c.req.valid("query").width ?? Infinity, { ...view, closing }));
  });

  return app;
}
