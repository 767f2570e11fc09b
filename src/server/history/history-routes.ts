// What a stream has seen: its frames of a time with their detections, and how often each label was there.
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { MultiboxError } from "../../errors.ts";
import type { Pipeline } from "../../pipeline/pipeline.ts";
import { json, numberText, problems, SECURED } from "../api/api-route.ts";
import { show } from "../api/explain.ts";
import type { FrameRecord } from "./frame-record.ts";
import type { History } from "./history.ts";
import { Detections } from "../protocol.ts";
import { isoTime } from "../streams/streams.ts";
import { recordOf } from "../../record-of.ts";

const tags = ["History"];
const params = z.object({ id: z.string().describe("The stream's id.") });
const time = z.string().max(40).optional();

/** As over WebSocket, but for what a client missed. */
const KeptDetections = Detections.omit({ dropped: true }).meta({ id: "KeptDetections" });
const NDJSON = "application/x-ndjson";

const Page = z
  .strictObject({
    frames: z.array(KeptDetections).describe("In the order of seq."),
    next: z.string().optional().describe("The cursor of the next page; absent when there is none."),
  })
  .meta({ id: "HistoryPage" });

const Stats = z
  .strictObject({
    intervals: z.array(
      z.strictObject({
        from: z.string().describe("When the interval begins, ISO 8601."),
        frames: z.int().describe("How many were detected."),
        labels: recordOf(z.string(), z.strictObject({ frames: z.int(), detections: z.int() })).describe(
          "For each label, on how many frames it was and how many detections of it there were.",
        ),
      }),
    ),
  })
  .meta({ id: "Stats" });

const framesRoute = createRoute({
  method: "get",
  path: "/v1/streams/{id}/detections",
  tags,
  summary: "Detections of a time",
  description:
    "JSON, or one frame a line with `Accept: application/x-ndjson`. A page may be short, even empty, and still have a next one, which is in `next` and in the header Link.",
  security: SECURED,
  request: {
    params,
    query: z.object({
      from: time.describe("ISO 8601; all that there is when absent."),
      to: time.describe("ISO 8601, included; now when absent."),
      label: z
        .string()
        .min(1)
        .max(4096)
        .optional()
        .describe("Only frames with one of these labels, separated by commas, and of them only these detections."),
      minScore: numberText(z.number().min(0).max(1))
        .optional()
        .describe("Only frames with a detection of at least this score, and of them only these detections."),
      limit: numberText(z.int().min(1).max(1000)).optional().describe("Most frames of a page; 100 when absent."),
      cursor: z
        .string()
        .regex(/^\d{1,15}$/)
        .optional()
        .describe("`next` of the page before."),
    }),
  },
  responses: {
    200: {
      description: "The frames.",
      content: { "application/json": { schema: Page }, [NDJSON]: { schema: KeptDetections } },
    },
    ...problems("STREAM_UNKNOWN", "HISTORY_OFF", "HISTORY_FAILED", "STORE_DAMAGED", "STORE_UNAVAILABLE"),
  },
});

const statsRoute = createRoute({
  method: "get",
  path: "/v1/streams/{id}/stats",
  tags,
  summary: "How often labels were seen",
  description: "By interval; those in which no frame was detected are left out.",
  security: SECURED,
  request: {
    params,
    query: z.object({
      from: time.describe("ISO 8601; a day before `to` when absent. Taken back to the begin of its interval."),
      to: time.describe("ISO 8601; now when absent."),
      interval: numberText(z.int().min(60).max(86_400).multipleOf(60))
        .optional()
        .describe("Seconds, whole minutes; 3600 when absent."),
    }),
  },
  responses: {
    200: json(Stats, "The counts."),
    ...problems("STREAM_UNKNOWN", "HISTORY_OFF", "HISTORY_FAILED", "STORE_DAMAGED", "STORE_UNAVAILABLE"),
  },
});

const DAY_MS = 86_400_000;
const MOST_INTERVALS = 1500;

export function historyRoutes(
  pipeline: Pick<Pipeline, "status">,
  history: Pick<History, "find" | "count">,
  clock: { now(): number },
): OpenAPIHono {
  const app = new OpenAPIHono();

  app.openapi(framesRoute, async (c) => {
    const { id } = c.req.valid("param");
    const { from, to, label, minScore, limit = 100, cursor } = c.req.valid("query");
    pipeline.status(id);
    const { records, next } = await history.find({
      stream: id,
      from: timeOf("from", from, 0),
      to: timeOf("to", to, clock.now() + DAY_MS),
      labels: label?.split(",").map((name) => name.trim()),
      minScore,
      after: cursor === undefined ? -1 : Number(cursor),
      limit,
    });
    if (next !== undefined) {
      const query = new URLSearchParams({ ...c.req.query(), cursor: String(next) });
      for (const secret of ["token", "ticket"]) query.delete(secret);
      c.header("Link", `<${c.req.path}?${query}>; rel="next"`);
    }
    const frames = records.map(toldFrame);
    if (c.req.header("accept")?.includes(NDJSON)) {
      return c.body(frames.map((frame) => `${JSON.stringify(frame)}\n`).join(""), 200, {
        "Content-Type": NDJSON,
      }) as never;
    }
    return c.json({ frames, ...(next !== undefined && { next: String(next) }) }, 200);
  });

  app.openapi(statsRoute, async (c) => {
    const { id } = c.req.valid("param");
    const query = c.req.valid("query");
    pipeline.status(id);
    const interval = (query.interval ?? 3600) * 1000;
    const to = timeOf("to", query.to, clock.now());
    const from = Math.floor(timeOf("from", query.from, to - DAY_MS) / interval) * interval;
    if ((to - from) / interval > MOST_INTERVALS) {
      const sentence = `From ${isoTime(from)} to ${isoTime(to)} there are more than ${MOST_INTERVALS} intervals of ${interval / 1000} s.`;
      throw new MultiboxError("BAD_REQUEST", sentence, "Ask for less time, or for longer intervals.");
    }
    const intervals = new Map<number, z.infer<typeof Stats>["intervals"][number]>();
    for (const { start, label, frames, detections } of await history.count({ stream: id, from, to, interval })) {
      const one = intervals.get(start) ?? { from: isoTime(start), frames: 0, labels: keyedByLabel() };
      intervals.set(start, one);
      if (label === undefined) one.frames = frames;
      else {
        // A label may have been of several classes, with several models.
        const before = one.labels[label] ?? { frames: 0, detections: 0 };
        one.labels[label] = { frames: before.frames + frames, detections: before.detections + detections };
      }
    }
    return c.json({ intervals: [...intervals.values()] }, 200);
  });

  return app;
}

/** Without a prototype: a label may be `constructor` or `__proto__`. */
function keyedByLabel(): z.infer<typeof Stats>["intervals"][number]["labels"] {
  return Object.create(null) as ReturnType<typeof keyedByLabel>;
}

function toldFrame({ time: at, ...rest }: FrameRecord): z.infer<typeof KeptDetections> {
  return { type: "detections", ...rest, time: isoTime(at) };
}

/** Milliseconds since the epoch. Fails with BAD_REQUEST. */
function timeOf(name: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  const at = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(at)) return at;
  const hint = "Write it as 2026-11-24T18:00:00Z.";
  throw new MultiboxError("BAD_REQUEST", `"${name}" cannot be ${show(text)}: it is no time.`, hint);
}
