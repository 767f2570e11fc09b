// How the server is: /health, which needs no token, and /metrics.
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { Detector } from "../model/detector.ts";
import { json, SECURED } from "./api/api-route.ts";
import type { Store } from "./database/store.ts";
import type { History } from "./history/history.ts";
import type { Metrics } from "./metrics.ts";
import type { DataFolders } from "./data-folders.ts";
import { ErrorBody } from "./api/error-body.ts";
import { Model } from "./protocol.ts";

const Live = z
  .strictObject({ status: z.literal("live"), version: z.string().describe("Of multibox.") })
  .meta({ id: "Live" });

const Ready = z
  .strictObject({
    status: z.enum(["ready", "warming up", "not ready"]).describe("not ready: changes cannot be stored."),
    version: z.string().describe("Of multibox."),
    model: Model,
    engine: z.string().describe("What runs the network."),
    reason: z.string().describe("Why this engine."),
    history: z
      .strictObject({
        state: z.enum(["off", "recording", "failing"]),
        error: ErrorBody.optional().describe("Why it cannot be written. Detection goes on meanwhile."),
      })
      .describe("Whether detections are kept."),
    store: z
      .strictObject({
        state: z.enum(["ok", "failing"]),
        error: ErrorBody.optional().describe("Why changes cannot be stored. They are refused; detection continues."),
      })
      .describe("The database of streams, tokens and jobs."),
    folders: z
      .strictObject({
        state: z.enum(["ok", "failing"]),
        error: ErrorBody.optional().describe("Which folder was deleted or replaced. What writes there is refused."),
      })
      .describe("Those of captures, jobs, models and training runs in the data folder."),
  })
  .meta({ id: "Ready" });

const liveRoute = createRoute({
  method: "get",
  path: "/health/live",
  tags: ["Server"],
  summary: "Whether the process lives",
  responses: { 200: json(Live, "It does.") },
});

const readyRoute = createRoute({
  method: "get",
  path: "/health/ready",
  tags: ["Server"],
  summary: "Whether the model is warm and changes can be stored",
  responses: {
    200: json(Ready, "Frames are detected."),
    503: json(Ready, "The model is being warmed up, or changes cannot be stored."),
  },
});

const metricsRoute = createRoute({
  method: "get",
  path: "/metrics",
  tags: ["Server"],
  summary: "Figures for Prometheus",
  security: SECURED,
  responses: { 200: { description: "Prometheus' text format.", content: { "text/plain": { schema: z.string() } } } },
});

export interface StatusDeps {
  readonly detector: Pick<Detector, "info">;
  readonly history: Pick<History, "status">;
  readonly store: Pick<Store, "failure">;
  readonly folders?: Pick<DataFolders, "failure"> | undefined;
  readonly metrics: Pick<Metrics, "text" | "contentType">;
  /** Of multibox. */
  readonly version: string;
  /** Whether the model is warm. */
  readonly ready: () => boolean;
}

export function statusRoutes({ detector, metrics, history, store, folders, version, ready }: StatusDeps): OpenAPIHono {
  const app = new OpenAPIHono();
  app.openapi(metricsRoute, async (c) => c.text(await metrics.text(), 200, { "Content-Type": metrics.contentType }));
  app.openapi(liveRoute, (c) => c.json({ status: "live" as const, version }, 200));
  app.openapi(readyRoute, (c) => {
    const { name, version: modelVersion } = detector.info.model;
    const { state, error } = history.status();
    const about = {
      version,
      model: { name, version: modelVersion },
      engine: detector.info.engine,
      reason: detector.info.reason,
      history: { state, ...(error && { error: { ...error, message: "The history cannot be written." } }) },
      store: partOf(store.failure),
      folders: partOf(folders?.failure),
    };
    if (!ready()) return c.json({ status: "warming up" as const, ...about }, 503);
    if (store.failure || folders?.failure) return c.json({ status: "not ready" as const, ...about }, 503);
    return c.json({ status: "ready" as const, ...about }, 200);
  });
  return app;
}

function partOf(error: ErrorBody | undefined): { state: "ok" } | { state: "failing"; error: ErrorBody } {
  return error ? { state: "failing", error } : { state: "ok" };
}
