// /v1/captures: frames that were kept, to be looked through and corrected; and keeping one by call.
import { readFile } from "node:fs/promises";
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import sharp from "sharp";
import { MultiboxError, systemCode } from "../../errors.ts";
import type { Pipeline } from "../../pipeline/pipeline.ts";
import type { LatestFrames } from "../../pipeline/sinks/latest.ts";
import { type Capture, ReviewStatus } from "../../training/capture.ts";
import { captureFiles } from "../../training/capture-set.ts";
import { callerOf, sees } from "../access/caller.ts";
import { problemOf } from "../api/problem.ts";
import { noFrame } from "../streams/pictures.ts";
import { json, jsonBody, numberText, problems, readsJson, SECURED, TicketQuery, TokenQuery } from "../api/api-route.ts";
import { CaptureChanged, CaptureConflict, captureInfo, captureTag, matching } from "./capture-match.ts";
import { CaptureInfo, CaptureList, CapturePatch } from "./capture-schemas.ts";
import { captureUnknown, type CaptureStore } from "./capture-store.ts";
import type { Capturer } from "./capturer.ts";

const tags = ["Captures"];
const params = z.object({ id: z.string().describe("The capture's id.") });

const headers = z.object({
  "if-match": z
    .string()
    .optional()
    .describe(
      "`etag` of the capture, in quotes: refused with 412 if it has been changed since. Not checked when absent.",
    ),
});
const CONFLICT = {
  description: "`CAPTURE_CHANGED`: it is not as If-Match names it.",
  content: { "application/problem+json": { schema: CaptureConflict } },
};

const CaptureQuery = z.strictObject({
  status: ReviewStatus.optional().describe("Only those; all when absent."),
  stream: z.string().optional().describe("Only those of this stream."),
  label: z.string().optional().describe("Only those with an object of this label."),
  limit: numberText(z.int().min(1).max(1000)).default(100).describe("The most that are listed."),
  cursor: z.string().optional().describe("The `next` of the page before."),
});

const keepRoute = createRoute({
  method: "post",
  path: "/v1/streams/{id}/captures",
  tags,
  summary: "Keep the newest frame of a stream",
  description: "As it was detected, in full size, with its detections as proposals.",
  security: SECURED,
  request: { params: z.object({ id: z.string().describe("The stream's id.") }) },
  responses: {
    201: json(CaptureInfo, "It was kept. The header Location has its path."),
    ...problems("STREAM_UNKNOWN", "STREAM_NO_FRAME", "CAPTURES_FULL", "DISK_FULL", "FOLDER_UNAVAILABLE"),
  },
});

const listRoute = createRoute({
  method: "get",
  path: "/v1/captures",
  tags,
  summary: "List captures",
  security: SECURED,
  request: { query: CaptureQuery },
  responses: { 200: json(CaptureList, "Those that match, oldest first.") },
});

const lookRoute = createRoute({
  method: "get",
  path: "/v1/captures/{id}",
  tags,
  summary: "Look at a capture",
  security: SECURED,
  request: { params },
  responses: {
    200: json(CaptureInfo, "What is known of it. The header ETag has its `etag`."),
    ...problems("CAPTURE_UNKNOWN"),
  },
});

const pictureRoute = createRoute({
  method: "get",
  path: "/v1/captures/{id}/picture.jpg",
  tags,
  summary: "The picture of a capture",
  security: SECURED,
  request: {
    params,
    query: z.strictObject({
      width: numberText(z.int().min(16).max(8192)).optional().describe("At most so wide; as it is when absent."),
      token: TokenQuery,
      ticket: TicketQuery,
    }),
  },
  responses: {
    200: { description: "The picture.", content: { "image/jpeg": { schema: { type: "string", format: "binary" } } } },
    ...problems("CAPTURE_UNKNOWN", "FOLDER_UNAVAILABLE"),
  },
});

const changeRoute = createRoute({
  method: "patch",
  path: "/v1/captures/{id}",
  tags,
  summary: "Correct a capture",
  description:
    "What is absent stays as it is. `objects` are all that is in the picture; an empty list says: nothing. With If-Match it replaces no state that you have not seen.",
  security: SECURED,
  middleware: readsJson(),
  request: { params, headers, body: jsonBody(CapturePatch) },
  responses: {
    200: json(CaptureInfo, "As it is now."),
    412: CONFLICT,
    ...problems("CAPTURE_UNKNOWN", "CAPTURE_INVALID", "DISK_FULL", "FOLDER_UNAVAILABLE"),
  },
});

const removeRoute = createRoute({
  method: "delete",
  path: "/v1/captures/{id}",
  tags,
  summary: "Delete a capture",
  security: SECURED,
  request: { params, headers },
  responses: {
    204: { description: "It is gone, with its picture." },
    412: CONFLICT,
    ...problems("CAPTURE_UNKNOWN", "FOLDER_UNAVAILABLE"),
  },
});

export interface CaptureDeps {
  readonly pipeline: Pick<Pipeline, "status">;
  readonly latest: LatestFrames;
  readonly capturer: Capturer;
  readonly store: CaptureStore;
}

export function captureRoutes({ pipeline, latest, capturer, store }: CaptureDeps): OpenAPIHono {
  const app = new OpenAPIHono();

  /** Fails with CAPTURE_UNKNOWN, also for one of a stream that the caller does not see. */
  const captureOf = (c: Context, id: string): Capture => {
    const capture = store.get(id);
    if (sees(callerOf(c), capture.stream)) return capture;
    throw captureUnknown(id);
  };

  app.openapi(keepRoute, async (c) => {
    const { id } = c.req.valid("param");
    pipeline.status(id);
    const detected = latest.get(id);
    if (!detected) throw noFrame(id);
    const capture = await capturer.capture(detected);
    c.header("Location", `/v1/captures/${capture.id}`);
    return c.json(captureInfo(capture), 201);
  });

  app.openapi(listRoute, (c) => {
    const { limit, cursor, ...query } = c.req.valid("query");
    const seen = store.list().filter(({ stream }) => sees(callerOf(c), stream));
    const labels = [...new Set(seen.flatMap(({ objects }) => objects.map(({ label }) => label)))].sort();
    const wanted = store.list(query).filter(({ stream }) => sees(callerOf(c), stream));
    // Ids begin with their time, so that a page goes on after its cursor even where that capture is gone. A clock that was set back makes
    // a later capture the earlier one.
    const all = wanted.sort((a, b) => (a.id < b.id ? -1 : 1));
    const rest = cursor === undefined ? all : all.filter(({ id }) => id > cursor);
    const captures = rest.slice(0, limit).map(captureInfo);
    const next = rest.length > limit ? captures.at(-1)?.id : undefined;
    return c.json({ captures, total: all.length, labels, ...(next !== undefined && { next }) }, 200);
  });

  app.openapi(lookRoute, (c) => {
    const capture = captureOf(c, c.req.valid("param").id);
    c.header("ETag", `"${captureTag(capture)}"`);
    return c.json(captureInfo(capture), 200);
  });

  app.openapi(pictureRoute, async (c) => {
    const { id, width } = captureOf(c, c.req.valid("param").id);
    const jpeg = await pictureOf(store, id, c.req.valid("query").width ?? width);
    c.header("Content-Type", "image/jpeg");
    // A capture's picture never changes.
    c.header("Cache-Control", "private, max-age=86400");
    return c.body(jpeg);
  });

  app.openapi(changeRoute, async (c) => {
    const capture = captureOf(c, c.req.valid("param").id);
    const change = c.req.valid("json");
    for (const { bbox } of change.objects ?? []) requireInside(bbox, capture);
    return await orConflict(c, async () => {
      const changed = await store.change(capture.id, change, matching(c.req.valid("header")["if-match"]));
      c.header("ETag", `"${captureTag(changed)}"`);
      return c.json(captureInfo(changed), 200);
    });
  });

  app.openapi(removeRoute, async (c) => {
    const { id } = captureOf(c, c.req.valid("param").id);
    return await orConflict(c, async () => {
      await store.remove(id, matching(c.req.valid("header")["if-match"]));
      return c.body(null, 204);
    });
  });

  return app;
}

async function pictureOf(store: CaptureStore, id: string, width: number): Promise<Uint8Array<ArrayBuffer>> {
  await store.place.require();
  try {
    const file = await readFile(captureFiles(store.folder, id).picture);
    if (width >= store.get(id).width) return new Uint8Array(file);
    // It was decoded when it was captured or imported; what its decoder warns about is no reason to hide it.
    return new Uint8Array(await sharp(file, { failOn: "error" }).resize({ width }).jpeg().toBuffer());
  } catch (cause) {
    if (!["ENOENT", "ENOTDIR"].includes(systemCode(cause) ?? "")) throw cause;
    const sentence = `The picture of the capture "${id}" is gone.`;
    throw new MultiboxError("CAPTURE_UNKNOWN", sentence, "Delete the capture.", { cause });
  }
}

/** Fails with CAPTURE_INVALID for a box that nothing can be learned from. */
function requireInside(bbox: readonly number[], { width, height }: Capture): void {
  const [x, y, w, h] = bbox as [number, number, number, number];
  if (w > 0 && h > 0 && x >= -1 && y >= -1 && x + w <= width + 1 && y + h <= height + 1) return;
  throw new MultiboxError(
    "CAPTURE_INVALID",
    `The box [${bbox.join(", ")}] does not lie in the picture of ${width} x ${height} pixels.`,
    "Give [x, y, width, height] in pixels, with sides above 0.",
  );
}

/** What `change` answers, or 412 with the capture as it is now. */
async function orConflict<T>(c: Context, change: () => Promise<T>): Promise<T> {
  try {
    return await change();
  } catch (error) {
    if (!(error instanceof CaptureChanged)) throw error;
    const current = captureInfo(error.current);
    const body: CaptureConflict = { ...problemOf(error), current };
    const answer = c.body(JSON.stringify(body), 412, {
      "Content-Type": "application/problem+json",
      "Cache-Control": "no-store",
      ETag: `"${current.etag}"`,
    });
    // One of the route's answers, as its declaration has them.
    return answer as unknown as T;
  }
}
