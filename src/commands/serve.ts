// `multibox serve`: opens the model, connects the streams, listens, and stops in good order.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Logger } from "pino";
import { config as rxjs } from "rxjs";
import { countOf } from "../count.ts";
import { captureBoundsOf, type Config } from "../config.ts";
import { demoClip } from "../demo-clip.ts";
import { sentenceOf } from "../errors.ts";
import { CurrentDetector } from "../model/current-detector.ts";
import type { Detector } from "../model/detector.ts";
import { ZOO } from "../model/zoo.ts";
import { findFfmpeg } from "../pipeline/find-ffmpeg.ts";
import { createGuard } from "../pipeline/guard.ts";
import { JpegEncoder } from "../pipeline/jpeg.ts";
import { createPipeline, type Pipeline } from "../pipeline/pipeline.ts";
import { type StreamConfig } from "../pipeline/stream.ts";
import { redactUrl } from "../redact.ts";
import type { ErrorBody } from "../server/api/error-body.ts";
import { startAddressGuard } from "../server/access/address-guard.ts";
import { ConfiguredStreams, type Matched } from "../server/streams/configured-streams.ts";
import { type ClockWatch, jumpSentence, openClockWatch } from "../server/clock-watch.ts";
import { tighten } from "../server/private-files.ts";
import { Quarantine } from "../server/quarantine.ts";
import { Retention } from "../server/retention.ts";
import { DataFolders } from "../server/data-folders.ts";
import { lockDataDir } from "../server/data-dir.ts";
import { CaptureStore } from "../server/captures/capture-store.ts";
import { History } from "../server/history/history.ts";
import { historyPath, openHistoryPort } from "../server/history/history-port.ts";
import { KeptStreams } from "../server/streams/kept-streams.ts";
import { StreamChanges } from "../server/streams/stream-changes.ts";
import { Sequences } from "../server/streams/sequences.ts";
import { Activator } from "../server/models/activation.ts";
import { ModelStore } from "../server/models/model-store.ts";
import { type RunningServer, startServer } from "../server/serve.ts";
import { checkListen } from "../server/access/source-check.ts";
import { startStore, storePath } from "../server/database/store.ts";
import { Tokens } from "../server/access/tokens.ts";
import { stackOf } from "../last-resort.ts";
import { packageVersion } from "../version.ts";
import { type ReloadOptions, reloadOnChange } from "./config-reload.ts";
import { openBackground } from "./serve-background.ts";
import { modelOpener } from "./stream-models.ts";
import { createLogger } from "./logger.ts";
import { stopSignal } from "./stop-signal.ts";
import { downloadProgress } from "./terminal.ts";

export interface ServeOptions {
  readonly config: Config;
  /** Where the settings were read from, to be read again when it changes; none without a file. */
  readonly source?: Pick<ReloadOptions, "file" | "load">;
  readonly cacheDir: string;
  readonly dataDir: string;
  /** Show the demo where no stream is configured. */
  readonly demo: boolean;
  /** Print one line of JSON when ready instead of lines for people. */
  readonly json: boolean;
}

/** Runs until SIGINT or SIGTERM; resolves when everything is closed. */
export async function serve({ config, source, cacheDir, dataDir, demo, json }: ServeOptions): Promise<void> {
  const logger = createLogger(config);
  const stop = stopSignal(logger);
  // What a listener of frames or states throws is no reason to end anything else.
  rxjs.onUnhandledError = (error) => logger.error(`A listener failed: ${stackOf(error)}`);
  const unlock = lockDataDir(dataDir);
  const shared = tighten(dataDir);
  if (shared > 0)
    logger.warn(
      `${countOf(shared, "file")} in ${dataDir} can be read by other users, and are not this user's to change.`,
    );
  const store = await startStore(storePath(dataDir), (failure) => logStore(failure, logger));
  const tokens = await Tokens.load(store);
  checkListen(config, tokens.anyValid());
  const ffmpeg = await findFfmpeg();
  if (ffmpeg.warning) logger.warn(ffmpeg.warning);
  const versions = new ModelStore(join(dataDir, "models"));
  await versions.load((sentence) => logger.warn(`A version of a model is left out: ${sentence}`), { tidy: true });
  const { watch, close: closeWatch } = openClockWatch(dataDir, { onJump: (ms) => logger.warn(jumpSentence(ms)) });
  const history = openHistory(config, dataDir, logger, watch);
  // Before anything is opened that keeps the process alive.
  await history.open();
  const models = modelOpener(config, cacheDir, versions, logger);
  const first = await models.openDefault();
  const detector = new CurrentDetector(first);
  let ready = false;
  const sequences = await Sequences.load(store, logger);
  const { maxDelayMs, maxAgeMs, maxModels, maxDecodeWidth, stallSeconds } = config;
  const addresses = await startAddressGuard(config, { trusted: () => config.streams });
  const pipeline = createPipeline(first, {
    addresses,
    maxDelayMs,
    maxAgeMs,
    maxModels,
    defaultModel: config.model,
    openModel: models.openNamed,
    maxDecodeWidth,
    stallMs: stallSeconds * 1000,
    ffmpeg,
    firstSeq: (stream) => sequences.first(stream),
    onWarning: (warning) => logger.warn({ code: warning.code }, warning.toString()),
  });
  pipeline.detected.subscribe((detected) => sequences.used(detected));
  logStreams(pipeline, logger);
  const jpeg = new JpegEncoder();
  const retention = new Retention({ watch, maxAgeMs: config.captureMaxDays * 86_400_000 });
  const captures = new CaptureStore(join(dataDir, "captures"), captureBoundsOf(config), retention);
  const quarantine = new Quarantine({ dataDir, logger, now: () => watch.now() });
  quarantine.report();
  await captures.load((sentence) => logger.warn(`A capture is left out: ${sentence}`), quarantine);
  const guard = createGuard();
  const background = { config, store, models: versions, captures, cacheDir, dataDir, guard, logger, watch, quarantine };
  const { jobs, trainings, proposals } = await openBackground(background);
  const places = [captures.place, jobs.place, trainings.place, versions.place];
  const folders = new DataFolders(places, (failure) => logFolders(failure, logger));
  const configured: ConfiguredStreams = new ConfiguredStreams(
    { set: (...args) => changes.set(...args), remove: (...args) => changes.remove(...args) },
    (ids) => keeper.behind(config, ids),
  );
  const isConfigured = (id: string): boolean => configured.has(id) || config.streams.some((stream) => stream.id === id);
  const keeper = new KeptStreams({ store, logger, isConfigured });
  const changes = new StreamChanges({ pipeline, keeper, prepare: (id) => sequences.prepare(id), logger });
  const version = packageVersion();
  const uiDir = fileURLToPath(new URL("../ui", import.meta.url));
  let server: RunningServer | undefined;
  let endReload: (() => Promise<unknown>) | undefined;
  try {
    server = await startServer({
      pipeline,
      addresses,
      detector,
      config,
      store,
      folders,
      tokens,
      changes,
      captures,
      proposals,
      models: {
        store: versions,
        activator: new Activator(
          { store: versions, pipeline, defaultModel: config.model, current: detector, open: models.openNamed },
          first,
        ),
        defaultModel: config.model,
        fetchable: ZOO.map(({ spec }) => spec.name),
      },
      jobs,
      trainings,
      jobTools: { ffmpeg, guard, model: () => versions.resolve(config.model) ?? config.model },
      history,
      engineDeaths: models.deaths,
      dataDir,
      logger,
      version,
      jpeg,
      uiDir,
      ready: () => ready,
    });
    await detector.warmUp();
    ready = true;
    const kept = await keeper.load(config);
    const isEmpty = config.streams.length + kept.length === 0;
    const shown = demo && isEmpty ? await demoStreams(cacheDir, logger) : config.streams;
    changes.follow();
    stop.inGoodOrder();
    await configured.match(shown);
    await changes.startAll(kept);
    const streams = [...shown, ...kept.map(({ config: stream }) => stream)];
    if (source) {
      const fallback = isEmpty ? shown : [];
      const match = (wanted: readonly StreamConfig[]): Promise<Matched> =>
        configured.match(wanted.length > 0 ? wanted : fallback);
      endReload = reloadOnChange({ ...source, config, match, logger });
    }
    jobs.open();
    trainings.open();
    announce(server, detector, streams, { version, json, token: config.token });
    await stop.asked;
  } finally {
    // What is in flight is told to clients, which are then taken leave of, and written down; a network that hangs is last.
    await endReload?.();
    await server?.close();
    await Promise.all([history.close(), proposals.close().then(() => captures.close())]);
    await Promise.all([pipeline.close(), jobs.close(), trainings.close()]);
    addresses?.close();
    folders.close();
    await Promise.all([detector.close(), jpeg.close(), closeWatch()]);
    sequences.close();
    await store.close();
    unlock();
  }
}

function logStore(failure: ErrorBody | undefined, logger: Logger): void {
  if (!failure) return logger.info("changes can be stored again");
  logger.error({ code: failure.code }, `changes cannot be stored: ${failure.message} ${failure.hint}`);
}

function logFolders(failure: ErrorBody | undefined, logger: Logger): void {
  if (!failure) return logger.info("the folders of the data folder are as they were");
  logger.error({ code: failure.code }, `${failure.message} ${failure.hint}`);
}

function openHistory(
  { historyHours: hours, historyMaxMb: maxMb }: Config,
  dataDir: string,
  logger: Logger,
  watch: ClockWatch,
): History {
  const heldMs = (): number => watch.heldMs();
  const port = hours > 0 ? openHistoryPort({ path: historyPath(dataDir), hours, maxMb, heldMs }) : undefined;
  return new History({ port, logger });
}

/** The demo is a courtesy: a server that cannot show it serves all the same. */
async function demoStreams(cacheDir: string, logger: Logger): Promise<StreamConfig[]> {
  const progress = downloadProgress("demo pictures");
  try {
    return [{ id: "demo", url: await demoClip(cacheDir, progress.update), loop: true, transport: "tcp" }];
  } catch (error) {
    logger.warn(`There is no demo stream: ${sentenceOf(error)}`);
    return [];
  } finally {
    progress.stop();
  }
}

function logStreams(pipeline: Pipeline, logger: Logger): void {
  pipeline.statuses.subscribe(({ config, state, error }) => {
    const fields = { stream: config.id, state, ...(error && { code: error.code }) };
    if (error) logger.warn(fields, error.toString());
    else logger.info(fields, `stream ${config.id} is ${state}`);
  });
}

interface Announcement {
  readonly version: string;
  readonly json: boolean;
  readonly token: string | undefined;
}

function announce(
  server: RunningServer,
  detector: Detector,
  streams: readonly StreamConfig[],
  how: Announcement,
): void {
  const { model, labels, engine, reason } = detector.info;
  const socket = `${server.url.replace(/^http/, "ws")}v1/detections`;
  const shown = streams.map(({ id, url }) => ({ id, url: redactUrl(url) }));
  if (how.json) {
    console.log(
      JSON.stringify({ url: server.url, port: server.port, detections: socket, model, engine, reason, streams: shown }),
    );
    return;
  }
  console.log(`multibox ${how.version} is ready.\n`);
  console.log(`  Page        ${server.url}${how.token ? "#token=..." : ""}`);
  console.log(`  Detections  ${socket}`);
  console.log(`  Model       ${model.name}, ${countOf(labels.length, "label")}, on ${engine} (${reason})`);
  for (const { id, url } of shown) console.log(`  Stream      ${id}: ${url}`);
  if (shown.length === 0) console.log("  Stream      none yet: add one on the page, or with --stream name=rtsp://...");
  console.log("\nPress Ctrl-C to stop.");
}
