// The whole HTTP side as one Hono app that does not listen, and the hub that WebSockets are handed to.
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { Logger } from "pino";
import { asyncScheduler, Subject, type SchedulerLike } from "rxjs";
import type { Config } from "../config.ts";
import { MultiboxError, sentenceOf } from "../errors.ts";
import type { Detector } from "../model/detector.ts";
import type { JpegEncoder } from "../pipeline/jpeg.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";
import { LatestFrames } from "../pipeline/sinks/latest.ts";
import { checkSource, checkToken, type Asked } from "./access.ts";
import { createApi, unrouted } from "./api.ts";
import { captureRoutes } from "./captures/capture-routes.ts";
import type { CaptureStore } from "./captures/capture-store.ts";
import { Capturer } from "./captures/capturer.ts";
import { detectRoute } from "./detect-route.ts";
import type { History } from "./history.ts";
import { Hub } from "./hub.ts";
import { Metrics } from "./metrics.ts";
import { modelRoutes, type ModelDeps } from "./models/model-routes.ts";
import { describeApi } from "./open-api.ts";
import { servePage } from "./page.ts";
import type { StreamLimits } from "./permitted-stream.ts";
import { pictureRoutes } from "./picture-routes.ts";
import { Pictures } from "./pictures.ts";
import { problemResponse } from "./problem.ts";
import { socketRoute } from "./socket-route.ts";
import { statusRoutes } from "./status-routes.ts";
import type { Store } from "./store.ts";
import { streamChangeRoutes } from "./stream-change-routes.ts";
import { StreamRegister } from "./stream-register.ts";
import { streamRoutes } from "./stream-routes.ts";

export interface AppDeps {
  readonly pipeline: Pipeline;
  readonly detector: Detector;
  readonly config: Pick<Config, "host" | "token" | "minScore" | "fileRoots">;
  readonly store: Store;
  readonly captures: CaptureStore;
  readonly models: Omit<ModelDeps, "pipeline">;
  readonly history: History;
  readonly logger: Logger;
  /** Of multibox. */
  readonly version: string;
  readonly jpeg: Pick<JpegEncoder, "encode">;
  /** The folder that the page was built into. */
  readonly uiDir: string;
  /** Whether the model is warm. */
  readonly ready: () => boolean;
  readonly clock?: SchedulerLike;
}

export interface MultiboxApp {
  readonly app: OpenAPIHono;
  readonly hub: Hub;
  /** Idempotent. Ends live views, takes leave of WebSocket clients, releases frames. */
  readonly close: () => void;
}

/** The page needs no token, because it cannot have one before it is loaded; it holds nothing that is secret. */
const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "Content-Security-Policy":
    // Some browsers do not take WebSockets to the same host for 'self'.
    "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
};

export function createApp(deps: AppDeps): MultiboxApp {
  const { pipeline, detector, config, logger, version, clock = asyncScheduler } = deps;
  const { name, version: modelVersion } = detector.info.model;
  const metrics = new Metrics(pipeline, { version, model: `${name} ${modelVersion}`, engine: detector.info.engine });
  const latest = new LatestFrames(pipeline);
  const pictures = new Pictures(deps.jpeg);
  const capturer = new Capturer({
    pipeline,
    store: deps.captures,
    jpeg: deps.jpeg,
    rulesOf: (stream) => pipeline.status(stream).config.capture,
    onLeftOut: (stream, why, error) => {
      if (why === "failed") logger.warn({ stream, why: sentenceOf(error) }, "a frame could not be kept");
    },
  });
  const hub = new Hub({ pipeline, detector, pictures, metrics, history: deps.history, config, logger, version, clock });
  const closing = new Subject<void>();
  const app = createApi();

  app.use(async (c, next) => {
    const began = clock.now();
    await next();
    for (const [header, value] of Object.entries(SECURITY_HEADERS)) c.header(header, value);
    if (!c.res.headers.has("Cache-Control")) c.header("Cache-Control", "no-store");
    // The path alone: a query may hold the token.
    logger.debug({ method: c.req.method, path: c.req.path, status: c.res.status, ms: clock.now() - began }, "request");
  });
  app.use(async (c, next) => {
    checkSource(config, askedBy(c));
    await next();
  });
  for (const path of ["/v1/*", "/metrics"]) {
    app.use(path, async (c, next) => {
      checkToken(config, askedBy(c));
      await next();
    });
  }

  const register = new StreamRegister(pipeline);
  const limits: StreamLimits = {
    // Both can change while the server runs.
    get fileRoots() {
      return config.fileRoots;
    },
    get labels() {
      return detector.info.labels;
    },
  };
  const routes = [
    statusRoutes({ detector, metrics, version, ready: deps.ready }),
    detectRoute(detector, config, clock),
    socketRoute(),
    streamRoutes(pipeline, register, limits),
    streamChangeRoutes(pipeline, register, limits),
    pictureRoutes(pipeline, { pipeline, latest, pictures, closing }),
    captureRoutes({ pipeline, latest, capturer, store: deps.captures }),
    modelRoutes({ ...deps.models, pipeline }),
  ];
  for (const route of routes) app.route("/", route);
  describeApi(app, version);
  const refuse = unrouted(app);
  app.get("/v1/*", refuse);
  app.get("*", servePage(deps.uiDir));
  app.all("*", refuse);
  app.onError((error, c) => {
    if (!(error instanceof MultiboxError))
      logger.error({ err: error, method: c.req.method, path: c.req.path }, "a request failed");
    return problemResponse(error);
  });

  const close = (): void => {
    closing.next();
    closing.complete();
    hub.close();
    capturer.close();
    latest.close();
    metrics.close();
  };
  return { app, hub, close };
}

function askedBy(c: Context): Asked {
  return {
    method: c.req.method,
    upgrade: false,
    host: c.req.header("host") ?? new URL(c.req.url).host,
    origin: c.req.header("origin"),
    authorization: c.req.header("authorization"),
    queryToken: c.req.query("token"),
  };
}
