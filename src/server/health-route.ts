// GET /health: how each part of the server is, for whoever watches it. It tells no address, path or password.
import { statfs } from "node:fs/promises";
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { Detector } from "../model/detector.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";
import type { StreamState } from "../pipeline/stream.ts";
import type { SteadyClock } from "../steady-scheduler.ts";
import { json, SECURED } from "./api/api-route.ts";
import { callerOf, sees } from "./access/caller.ts";
import type { DataFolders } from "./data-folders.ts";
import type { ErrorBody } from "./api/error-body.ts";
import type { Store } from "./database/store.ts";
import type { History } from "./history/history.ts";
import { Model, StreamState as State } from "./protocol.ts";

/** With less there is no telling how long the history and captures can still be written. */
export const LOW_DISK_BYTES = 2e9;

const Health = z
  .strictObject({
    status: z.enum(["ok", "degraded", "warming up"]).describe("degraded: a part is not well, and frames are detected."),
    version: z.string().describe("Of multibox."),
    uptimeSeconds: z.number(),
    engine: z.strictObject({
      status: z.enum(["ok", "warming up"]),
      model: Model,
      engine: z.string().describe("What runs the network."),
      reason: z.string().describe("Why this engine."),
      restarts: z.int().describe("Workers that died or hung and were replaced."),
    }),
    history: z.strictObject({
      status: z.enum(["ok", "off", "failing"]),
      code: z.string().optional().describe("Of the error, while it cannot be written; the log says more."),
      waiting: z.int().describe("Frames that are not on disk yet."),
      lost: z.int().describe("Frames that it could not take."),
    }),
    store: z
      .strictObject({
        status: z.enum(["ok", "failing"]),
        code: z.string().optional().describe("Of the error, while changes cannot be stored; the log says more."),
      })
      .describe("The database of streams, tokens and jobs."),
    folders: z
      .strictObject({
        status: z.enum(["ok", "failing"]),
        code: z.string().optional().describe("Of the error, while one was deleted or replaced; the log says more."),
      })
      .describe("Those of captures, jobs, models and training runs in the data folder."),
    disk: z.strictObject({
      status: z.enum(["ok", "low", "unknown"]).describe("low: less than 2 GB."),
      freeBytes: z.int().optional().describe("Where the data folder is."),
      totalBytes: z.int().optional(),
    }),
    streams: z.strictObject({
      status: z.enum(["ok", "degraded"]).describe("degraded: one is stalled, retrying or misconfigured."),
      total: z.int(),
      states: z.partialRecord(State, z.int()).describe("How many are in each state, of those that the caller sees."),
    }),
  })
  .meta({ id: "Health" });
type Health = z.infer<typeof Health>;

const route = createRoute({
  method: "get",
  path: "/health",
  tags: ["Server"],
  summary: "How each part of the server is",
  description:
    "For people and monitors; what restarts a server asks /health/live, what sends it traffic /health/ready.",
  security: SECURED,
  responses: { 200: json(Health, "Frames are detected."), 503: json(Health, "The model is being warmed up.") },
});

export interface HealthDeps {
  readonly pipeline: Pick<Pipeline, "list">;
  readonly detector: Pick<Detector, "info">;
  readonly history: Pick<History, "status">;
  readonly store: Pick<Store, "failure">;
  readonly folders?: Pick<DataFolders, "failure"> | undefined;
  readonly engineDeaths?: ReadonlyMap<string, number>;
  readonly dataDir?: string;
  readonly version: string;
  readonly ready: () => boolean;
  readonly clock: SteadyClock;
}

export function healthRoute(deps: HealthDeps): OpenAPIHono {
  const since = deps.clock.now();
  return new OpenAPIHono().openapi(route, async (c) => {
    const caller = callerOf(c);
    const states = deps.pipeline.list().flatMap(({ config, state }) => (sees(caller, config.id) ? [state] : []));
    const isReady = deps.ready();
    const parts = {
      engine: engineOf(deps, isReady),
      history: historyOf(deps.history),
      store: partOf(deps.store.failure),
      folders: partOf(deps.folders?.failure),
      disk: await diskOf(deps.dataDir),
      streams: streamsOf(states),
    };
    const isWell = !Object.values(parts).some(({ status }) => ["failing", "low", "degraded"].includes(status));
    const uptimeSeconds = Math.round((deps.clock.now() - since) / 1000);
    const health = { version: deps.version, uptimeSeconds, ...parts };
    if (!isReady) return c.json({ status: "warming up" as const, ...health }, 503);
    return c.json({ status: isWell ? ("ok" as const) : ("degraded" as const), ...health }, 200);
  });
}

function engineOf({ detector: { info }, engineDeaths }: HealthDeps, isReady: boolean): Health["engine"] {
  return {
    status: isReady ? "ok" : "warming up",
    model: { name: info.model.name, version: info.model.version },
    engine: info.engine,
    reason: info.reason,
    restarts: [...(engineDeaths?.values() ?? [])].reduce((sum, count) => sum + count, 0),
  };
}

function historyOf(history: Pick<History, "status">): Health["history"] {
  const { state, error, waiting, lost } = history.status();
  return { status: state === "recording" ? "ok" : state, ...(error && { code: error.code }), waiting, lost };
}

function partOf(failure: ErrorBody | undefined): Health["store"] {
  return failure ? { status: "failing", code: failure.code } : { status: "ok" };
}

async function diskOf(folder: string | undefined): Promise<Health["disk"]> {
  const space = folder === undefined ? undefined : await statfs(folder).catch(() => undefined);
  if (!space) return { status: "unknown" };
  const freeBytes = space.bavail * space.bsize;
  return { status: freeBytes < LOW_DISK_BYTES ? "low" : "ok", freeBytes, totalBytes: space.blocks * space.bsize };
}

const UNWELL: readonly StreamState[] = ["stalled", "retrying", "misconfigured"];

function streamsOf(states: readonly StreamState[]): Health["streams"] {
  const counts: Partial<Record<StreamState, number>> = {};
  for (const state of states) counts[state] = (counts[state] ?? 0) + 1;
  const status = states.some((state) => UNWELL.includes(state)) ? "degraded" : "ok";
  return { status, total: states.length, states: counts };
}
