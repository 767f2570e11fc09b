// POST /v1/detect: one picture in, its detections out.
import type { Context } from "hono";
import { z } from "zod";
import type { Config } from "../config.ts";
import { MultiboxError } from "../errors.ts";
import type { Detector } from "../model/detector.ts";
import { readBody, check, requireType } from "./body.ts";
import { checkLabels } from "./client.ts";
import { decodePicture } from "../model/decode-picture.ts";
import { createFilter, filterDetections } from "./frame-messages.ts";
import type { DetectAnswer } from "./protocol.ts";

const MAX_BODY = 32 * 1_048_576;
const TYPES = ["image/jpeg", "image/png", "application/octet-stream"];
/** A decoded picture may have 150 MB, so few are decoded at a time, and few more may wait for it. */
const MAX_DECODED = 2;
const MAX_REQUESTS = 16;

const Query = z.strictObject({
  token: z.string().optional(),
  minScore: z.coerce.number().min(0).max(1).optional(),
  labels: z.string().min(1).max(4096).optional(),
});

export function detectRoute(
  detector: Pick<Detector, "detect" | "info">,
  config: Pick<Config, "minScore">,
  clock: { now(): number },
): (c: Context) => Promise<Response> {
  let requests = 0;
  const gate = createGate(MAX_DECODED);
  return async (c) => {
    const began = clock.now();
    const { minScore, labels } = parseQuery(c.req.query(), detector.info.labels);
    const filter = createFilter(labels, Math.max(config.minScore, minScore ?? 0));
    requireType(c.req.raw, TYPES);
    if (requests >= MAX_REQUESTS) {
      throw new MultiboxError("SERVER_BUSY", `${requests} pictures are waiting already.`, "Try again in a moment.");
    }
    requests += 1;
    try {
      const body = await readBody(c.req.raw, MAX_BODY);
      if (body.length === 0)
        throw new MultiboxError("BODY_EMPTY", "The body is empty.", "Send a JPEG or PNG file as the body.");
      return await gate(async () => {
        const picture = await decodePicture(body);
        const { detections, inferMs } = await detector.detect([picture]);
        const { name, version } = detector.info.model;
        const answer: DetectAnswer = {
          width: picture.width,
          height: picture.height,
          model: { name, version },
          timing: { inferMs, totalMs: clock.now() - began },
          detections: filterDetections(detections[0]!, filter),
        };
        return c.json(answer);
      });
    } finally {
      requests -= 1;
    }
  };
}

function parseQuery(
  input: Record<string, string>,
  known: readonly string[],
): { minScore?: number | undefined; labels?: string[] | undefined } {
  const query = check(
    Query,
    input,
    "BAD_REQUEST",
    "The parameters are minScore (0..1) and labels (separated by commas).",
  );
  const labels = query.labels?.split(",").map((label) => label.trim());
  checkLabels(labels, known);
  return { minScore: query.minScore, labels };
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
