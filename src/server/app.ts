// The whole HTTP side as one Hono app that does not listen, and the hub that WebSockets are handed to.
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Logger } from "pino";
import { asyncScheduler, interval, Subject, type SchedulerLike } from "rxjs";
import type { Config } from "../config.ts";
import { MultiboxError, sentenceOf } from "../errors.ts";
import type { Detector } from "../model/detector.ts";
import type { JpegEncoder } from "../pipeline/jpeg.ts";
import type { AddressRules } from "../pipeline/source-input.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";
import { LatestFrames } from "../pipeline/sinks/latest.ts";
import { steady, steadyScheduler } from "../steady-scheduler.ts";
import { Access } from "./access/access.ts";
import { createApi, ofLibrary, unrouted } from "./api/api.ts";
import { captureRoutes } from "./captures/capture-routes.ts";
import type { CaptureStore } from "./captures/capture-store.ts";
import { proposalRoutes } from "./captures/proposal-routes.ts";
import type { Proposals } from "./captures/proposals.ts";
import { Capturer } from "./captures/capturer.ts";
import { detectRoute } from "./detect-route.ts";
import { addGate } from "./access/gate.ts";
import { healthRoute } from "./health-route.ts";
import { historyRoutes } from "./history/history-routes.ts";
import type { History } from "./history/history.ts";
import { Hub } from "./socket/hub.ts";
import { Metrics } from "./metrics.ts";
import { type JobCreateConfig, type JobCreateDeps, jobCreateRoute } from "./jobs/job-create-route.ts";
import { jobRoutes } from "./jobs/job-routes.ts";
import type { Jobs } from "./jobs/jobs.ts";
import { modelRoutes, type ModelDeps } from "./models/model-routes.ts";
import { describeApi } from "./api/open-api.ts";
import { servePage } from "./page.ts";
import type { StreamLimits } from "./streams/permitted-stream.ts";
import { pictureRoutes } from "./streams/picture-routes.ts";
import { Pictures } from "./streams/pictures.ts";
import { problemResponse } from "./api/problem.ts";
import { checkRoutes } from "./access/route-access.ts";
import { socketRoute } from "./socket/socket-route.ts";
import { statusRoutes } from "./status-routes.ts";
import type { DataFolders } from "./data-folders.ts";
import type { Store } from "./database/store.ts";
import { streamChangeRoutes } from "./streams/stream-change-routes.ts";
import { StreamChanges } from "./streams/stream-changes.ts";
import { StreamRegister } from "./streams/stream-register.ts";
import { streamRoutes } from "./streams/stream-routes.ts";
import { ticketRoute } from "./access/ticket-route.ts";
import type { Tokens } from "./access/tokens.ts";
import { trainingCreateRoute } from "./trainings/training-create-route.ts";
import { trainingRoutes } from "./trainings/training-routes.ts";
import type { Trainings } from "./trainings/trainings.ts";

export interface AppDeps {
  readonly pipeline: Pipeline;
  /** Where URLs of streams that are added may lead to; anywhere when absent. */
  readonly addresses?: AddressRules | undefined;
  readonly detector: Detector;
  readonly config: Pick<Config, "host" | "token" | "allowedOrigins" | "trustedProxies" | "minScore" | "fileRoots"> &
    JobCreateConfig;
  readonly store: Pick<Store, "failure">;
  /** In the data folder; none are watched when absent. */
  readonly folders?: Pick<DataFolders, "failure">;
  readonly tokens: Tokens;
  /** What changes streams; what changes only the pipeline when absent. */
  readonly changes?: StreamChanges;
  readonly captures: CaptureStore;
  readonly proposals: Proposals;
  readonly models: Omit<ModelDeps, "pipeline" | "trainings" | "proposals">;
  readonly jobs: Jobs;
  /** What making a job needs. */
  readonly jobTools: Pick<JobCreateDeps, "ffmpeg" | "guard" | "model">;
  readonly trainings: Trainings;
  readonly history: History;
  /** Engine workers that died or hung and were replaced, by the code of the error; it grows. */
  readonly engineDeaths?: ReadonlyMap<string, number>;
  /** Whose disk is watched; none when absent. */
  readonly dataDir?: string;
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
  readonly access: Access;
  /** Idempotent. Ends live views, takes leave of WebSocket clients, releases frames. */
  readonly close: () => void;
}

/** A token that was revoked is let in for so long at most where a connection is open. */
const SWEEP_MS = 2000;

export function createApp(deps: AppDeps): MultiboxApp {
  const { pipeline, detector, config, logger, version, clock = asyncScheduler } = deps;
  const { history, engineDeaths } = deps;
  const steadyClock = deps.clock ? steady(deps.clock) : steadyScheduler;
  const metrics = new Metrics({ pipeline, history, jobs: deps.jobs, detector, version, engineDeaths });
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
  const access = new Access({
    config,
    tokens: deps.tokens,
    clock: steadyClock,
    onWrong: (address) => logger.warn({ address }, "a wrong token or ticket"),
  });
  const hub = new Hub({
    pipeline,
    detector,
    pictures,
    metrics,
    history,
    jobs: deps.jobs,
    trainings: deps.trainings,
    config,
    logger,
    access,
    version,
    clock,
    steadyClock,
  });
  const closing = new Subject<void>();
  const app = createApi();

  addGate(app, { access, config, logger, clock: steadyClock });
  const sweeping = interval(SWEEP_MS, clock).subscribe(() => void access.refresh().then(() => access.sweep()));

  const register = new StreamRegister(pipeline);
  const changes = deps.changes ?? new StreamChanges({ pipeline, logger });
  const limits: StreamLimits = {
    addresses: deps.addresses,
    // Both can change while the server runs.
    get fileRoots() {
      return config.fileRoots;
    },
    get labels() {
      return detector.info.labels;
    },
  };
  const routes = [
    statusRoutes({ ...deps, metrics }),
    healthRoute({ ...deps, clock: steadyClock }),
    ticketRoute(access, clock),
    detectRoute(detector, config, steadyClock),
    socketRoute(),
    streamRoutes(pipeline, changes, register, limits),
    streamChangeRoutes(pipeline, changes, register, limits),
    historyRoutes(pipeline, history, clock),
    pictureRoutes(pipeline, { pipeline, latest, pictures, closing }, access),
    proposalRoutes({ ...deps, detector }),
    captureRoutes({ pipeline, latest, capturer, store: deps.captures }),
    jobCreateRoute({ ...deps.jobTools, jobs: deps.jobs, detector, config }),
    jobRoutes(deps.jobs),
    modelRoutes({ ...deps.models, pipeline, trainings: deps.trainings, proposals: deps.proposals }),
    trainingCreateRoute({ ...deps, detector, config }),
    trainingRoutes(deps.trainings, deps.models.store),
  ];
  for (const route of routes) app.route("/", route);
  describeApi(app, version);
  const refuse = unrouted(app);
  app.get("/v1/*", refuse);
  app.get("*", servePage(deps.uiDir));
  app.all("*", refuse);
  app.onError((thrown, c) => {
    const error = ofLibrary(thrown, c);
    if (!(error instanceof MultiboxError))
      logger.error({ err: error, method: c.req.method, path: c.req.path }, "a request failed");
    return problemResponse(error);
  });

  const close = (): void => {
    sweeping.unsubscribe();
    closing.next();
    closing.complete();
    hub.close();
    capturer.close();
    latest.close();
    metrics.close();
  };
  checkRoutes(app);
  return { app, hub, access, close };
}
