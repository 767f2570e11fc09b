// Listens: HTTP through the app, WebSockets through the hub; stops within seconds whatever the clients do.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener, type HttpBindings } from "@hono/node-server";
import { WebSocketServer } from "ws";
import type { Config } from "../config.ts";
import { MultiboxError, systemCode } from "../errors.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";
import { SUBPROTOCOL } from "./access/access.ts";
import type { GateBindings } from "./access/gate.ts";
import { boundBodies } from "./api/body-timeout.ts";
import { createApp, type AppDeps, type MultiboxApp } from "./app.ts";
import { type ConnectionLimits, Connections } from "./connections.ts";
import { checkListen } from "./access/source-check.ts";
import { connectionRoom } from "./descriptors.ts";
import { RequestTurns } from "./request-turns.ts";
import { acceptUpgrades } from "./upgrade.ts";

export interface ServeDeps extends AppDeps {
  readonly config: AppDeps["config"] & Pick<Config, "port"> & ConnectionLimits;
  /** In milliseconds; for tests, which have no time. */
  readonly timeouts?: Partial<typeof TIMEOUTS>;
}

export interface RunningServer {
  readonly port: number;
  /** Of the page, without a token. */
  readonly url: string;
  /**
   * Idempotent. Closes the pipeline, so that frames that are in flight are told and recorded, and then takes leave of
   * clients. Resolves within six seconds, also when clients do not answer, or the network hangs.
   */
  readonly close: () => Promise<void>;
}

/**
 * What a request may take: its headers, and its whole body (32 MiB over a slow line), but for uploads, see body-timeout.ts. Answers
 * may last for ever.
 */
const TIMEOUTS = {
  headersTimeout: 15_000,
  requestTimeout: 120_000,
  keepAliveTimeout: 10_000,
  connectionsCheckingInterval: 5000,
};
/** Longer messages, or those in more parts, end the connection; from 64 KiB on they are answered with an error (requests.ts). */
const MESSAGE_LIMITS = { maxPayload: 4 * 1_048_576, maxFragments: 64, maxBufferedChunks: 1024 };
const GRACE_MS = 2000;
/** Longest wait for frames that are in flight: leaves clients and history their time within the ten seconds of a stop. */
const FINISH_MS = 4000;

/** Fails with TOKEN_NEEDED, PORT_IN_USE, PORT_FORBIDDEN or HOST_UNAVAILABLE; then nothing is left open. */
export async function startServer(deps: ServeDeps): Promise<RunningServer> {
  const { config, logger } = deps;
  checkListen(config, deps.tokens.anyValid());
  const app = createApp(deps);
  const { requestTimeout, ...timeouts } = { ...TIMEOUTS, ...deps.timeouts };
  const server = createServer(timeouts);
  boundBodies(server, requestTimeout);
  const connections = new Connections(server, { ...config, maxConnections: maxConnections(deps) });
  const answer = getRequestListener(
    (request, env) => {
      const { incoming, outgoing } = env as HttpBindings;
      const bindings: GateBindings = { incoming, outgoing, onCaller: () => connections.trust(incoming.socket) };
      return app.app.fetch(request, bindings);
    },
    { overrideGlobalObjects: false },
  );
  const turns = new RequestTurns(answer);
  server.on("request", (request, response) => turns.add(request, response));
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    // The client answers them: ws would pile up answers for one that does not read.
    autoPong: false,
    handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
    ...MESSAGE_LIMITS,
  });
  acceptUpgrades(server, { app, sockets, config, connections, turns });
  try {
    await listen(server, config);
  } catch (error) {
    app.close();
    throw error;
  }
  server.on("error", (error) => logger.error({ err: error }, "the HTTP server failed"));
  const { port } = server.address() as AddressInfo;
  const host = config.host.includes(":") ? `[${config.host.replaceAll(/[[\]]/g, "")}]` : config.host;
  let closed: Promise<void> | undefined;
  return {
    port,
    url: `http://${host}:${port}/`,
    close: () => (closed ??= stop(server, connections, app, deps.pipeline)),
  };
}

/** Fewer than the setting where the limit on open files leaves no room for more. */
function maxConnections({ config, logger }: Pick<ServeDeps, "config" | "logger">): number {
  const room = connectionRoom();
  if (room >= config.maxConnections) return config.maxConnections;
  const sentence = `the limit on open files leaves room for ${room} connections, and maxConnections is ${config.maxConnections}: raise it (ulimit -n, LimitNOFILE)`;
  logger.warn({ room, maxConnections: config.maxConnections }, sentence);
  return room;
}

function listen(server: Server, { host, port }: Pick<Config, "host" | "port">): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => reject(listenError(error, host, port)));
    server.listen(port, host.replaceAll(/[[\]]/g, ""), () => {
      server.removeAllListeners("error");
      resolve();
    });
  });
}

function listenError(error: Error, host: string, port: number): MultiboxError {
  const options = { cause: error };
  switch (systemCode(error)) {
    case "EADDRINUSE":
      return new MultiboxError(
        "PORT_IN_USE",
        `Port ${port} of ${host} is in use by another program.`,
        "Stop it, or choose another with --port; 0 takes a free one.",
        options,
      );
    case "EACCES":
      return new MultiboxError(
        "PORT_FORBIDDEN",
        `This user may not listen on port ${port}.`,
        "Choose a port from 1024 on with --port.",
        options,
      );
    default:
      return new MultiboxError(
        "HOST_UNAVAILABLE",
        `Listening on ${host}, port ${port}, failed: ${error.message}.`,
        "Choose an address of this machine with --host.",
        options,
      );
  }
}

async function stop(
  server: Server,
  connections: Connections,
  app: MultiboxApp,
  pipeline: Pick<Pipeline, "close">,
): Promise<void> {
  const ended = new Promise<void>((resolve) => server.close(() => resolve()));
  await finish(pipeline);
  app.close();
  connections.stop();
  // `server.close` waits for every connection, those of WebSockets included, and some clients never answer.
  const force = setTimeout(() => connections.destroy(), GRACE_MS);
  await ended;
  clearTimeout(force);
}

/** Decodes nothing more, and waits until what is in the detector has come out of it. */
async function finish(pipeline: Pick<Pipeline, "close">): Promise<void> {
  let patience: NodeJS.Timeout | undefined;
  const patient = new Promise<void>((resolve) => (patience = setTimeout(resolve, FINISH_MS)));
  await Promise.race([pipeline.close(), patient]);
  clearTimeout(patience);
}
