// POST /v1/detect: one picture in, its detections out.
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { countOf } from "../count.ts";
import type { Config } from "../config.ts";
import { MultiboxError } from "../errors.ts";
import type { Detector } from "../model/detector.ts";
import type { SteadyClock } from "../steady-scheduler.ts";
import { json, numberText, problems, SECURED } from "./api/api-route.ts";
import { requireType } from "./api/body.ts";
import { BodyBudget } from "./api/body-budget.ts";
import { checkLabels } from "./socket/client.ts";
import { decodePicture } from "../model/decode-picture.ts";
import { createFilter, filterDetections } from "./socket/frame-messages.ts";
import { wireDetections } from "./history/frame-record.ts";
import { DetectAnswer } from "./protocol.ts";

const MAX_BODY = 32 * 1_048_576;
/** Of bodies that come or wait, together. */
const MAX_BODIES = 256 * 1_048_576;
/** A decoded image may have 150 MB, so few are decoded at a time, and few more may wait for it. */
const MAX_DECODED = 2;
const MAX_WAITING = 16;

const picture = { schema: { type: "string", format: "binary" } } as const;

const route = createRoute({
  method: "post",
  path: "/v1/detect",
  tags: ["Detection"],
  summary: "Detect what is on one picture",
  description: "A JPEG or PNG of at most 32 MiB and 50 million pixels, with sides of at most 65,500.",
  security: SECURED,
  request: {
    query: z.strictObject({
      minScore: numberText(z.number().min(0).max(1))
        .optional()
        .describe("Only detections with at least this score; never less than the server's own minimum."),
      labels: z.string().min(1).max(4096).optional().describe("Only these labels, separated by commas."),
    }),
    body: {
      required: true,
      content: { "image/jpeg": picture, "image/png": picture, "application/octet-stream": picture },
    },
  },
  responses: {
    200: json(DetectAnswer, "The detections, best first."),
    ...problems("LABEL_UNKNOWN", "BODY_EMPTY", "BODY_INCOMPLETE", "PICTURE_UNREADABLE", "BODY_TOO_LARGE"),
    ...problems("PICTURE_TOO_LARGE", "CONTENT_TYPE", "SERVER_BUSY"),
  },
});

export function detectRoute(
  detector: Pick<Detector, "detect" | "info">,
  config: Pick<Config, "minScore">,
  clock: SteadyClock,
): OpenAPIHono {
  let waiting = 0;
  const bodies = new BodyBudget(MAX_BODIES);
  const gate = createGate(MAX_DECODED);
  return new OpenAPIHono().openapi(route, async (c) => {
    const began = clock.now();
    const { minScore, labels } = c.req.valid("query");
    const filter = createFilter(labelsOf(labels, detector.info.labels), Math.max(config.minScore, minScore ?? 0));
    requireType(c.req.raw, Object.keys(route.request.body.content));
    // Only a body that is whole counts: a client that stops in the midst of one takes no place from others.
    const { bytes, release } = await bodies.read(c.req.raw, MAX_BODY);
    let isWaiting = false;
    try {
      if (bytes.length === 0)
        throw new MultiboxError("BODY_EMPTY", "The body is empty.", "Send a JPEG or PNG file as the body.");
      if (waiting >= MAX_WAITING)
        throw new MultiboxError(
          "SERVER_BUSY",
          `${countOf(waiting, "image is", "images are")} waiting already.`,
          "Try again in a moment.",
        );
      waiting += 1;
      isWaiting = true;
      return await gate(async () => {
        // Nobody is there any more to read the answer.
        if (c.req.raw.signal.aborted) throw new MultiboxError("BODY_INCOMPLETE", "The connection ended.");
        const decoded = await decodePicture(bytes);
        const { detections, inferMs } = await detector.detect([decoded]);
        const { name, version } = detector.info.model;
        const answer: DetectAnswer = {
          width: decoded.width,
          height: decoded.height,
          model: { name, version },
          timing: { inferMs, totalMs: clock.now() - began },
          detections: filterDetections(wireDetections(detections[0]!), filter),
        };
        return c.json(answer, 200);
      });
    } finally {
      if (isWaiting) waiting -= 1;
      release();
    }
  });
}

/** Fails with LABEL_UNKNOWN. */
function labelsOf(text: string | undefined, known: readonly string[]): string[] | undefined {
  const labels = text?.split(",").map((label) => label.trim());
  checkLabels(labels, known);
  return labels;
}

/** Lets so many through at a time; the others wait in line. */
function createGate(width: number): <T>(work: () => Promise<T>) => Promise<T> {
  let inside = 0;
  const line: (() => void)[] = [];
  return async (work) => {
    if (inside >= width) await new Promise<void>((resolve) => line.push(resolve));
    else inside += 1;
    try {
      return await work();
    } finally {
      // The place goes to the next in line, without being free in between.
      const next = line.shift();
      if (next) next();
      else inside -= 1;
    }
  };
}
