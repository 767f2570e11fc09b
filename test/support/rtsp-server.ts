// A small real RTSP/1.0 camera for the tests: plays H.264 over TCP and UDP, and breaks in the ways of cameras when a test says so.
import { once } from "node:events";
import { createServer, type AddressInfo, type Server } from "node:net";
import type { Credentials } from "./digest.ts";
import type { FeedSource } from "./h264-clip.ts";
import { badLine } from "./noise.ts";
import { RtspConnection } from "./rtsp-connection.ts";
import { bindPair, closePair, startFeed, type OnPacket, type RtpFeed, type UdpPair } from "./rtp.ts";

export interface RtspServerOptions {
  /** What is behind each path; `/cam1` with ffmpeg's test picture when absent. */
  readonly paths?: Readonly<Record<string, FeedSource>>;
  /** Clients must know these, by Digest; everyone may watch when absent. */
  readonly auth?: Credentials;
  /** Clients are sent what comes next, and not at first a key frame. */
  readonly startAnywhere?: boolean;
}

export interface RtspServer {
  /** On 127.0.0.1; stays the same over `stop` and `start`. */
  readonly port: number;
  /** How many clients are playing. */
  readonly clients: number;
  /** What was asked and how it was answered, over all connections: `DESCRIBE /cam1 401`, `SETUP /cam1 200 udp`. */
  readonly requests: readonly string[];
  /** `rtsp://127.0.0.1:PORT/cam1`, with user name and password escaped where given. */
  url(path: string, credentials?: Credentials): string;
  /** From the next request on. */
  setPassword(password: string): void;
  /** Answers every request for a stream with this status, 403 for example; undefined ends that. */
  refuse(status: number | undefined): void;
  /** Cuts every connection; clients may come back at once. */
  dropClients(): void;
  /** Keeps connections and answers new ones, but sends no packet. */
  stall(): void;
  /** Takes connections and requests, but answers none and sends no packet: half open, as a camera that hangs. */
  hang(): void;
  /** After `stall` and `hang`. */
  resume(): void;
  /** Packets get lost and damaged, and garbage among them, in this share of 0..1; 0 ends that. */
  disturb(share: number, seed?: number): void;
  /** Films something else, of another size perhaps, without a word to those who watch; a new path begins. */
  change(path: string, source: FeedSource): Promise<void>;
  /** The camera's clock jumps, forwards or backwards, and with it the times of what it sends. */
  jump(seconds: number): void;
  /** Switches the camera off: no listener, no connection. Idempotent. */
  stop(): Promise<void>;
  /** Switches it on again, on the same port. */
  start(): Promise<void>;
  /** The same as `stop`: nothing is left. */
  close(): Promise<void>;
}

/** What runs between `start` and `stop`. */
interface Running {
  readonly listener: Server;
  readonly udp: UdpPair;
  readonly feeds: Map<string, RtpFeed>;
}

export async function startRtspServer(options: RtspServerOptions = {}): Promise<RtspServer> {
  const paths = new Map(Object.entries(options.paths ?? { "/cam1": {} }));
  const connections = new Set<RtspConnection>();
  const requests: string[] = [];
  let { auth } = options;
  let refusal: number | undefined;
  let [stalled, mute] = [false, false];
  let line: ReturnType<typeof badLine> | undefined;
  let port = 0;
  let running: Running | undefined;

  const accept = (listener: Server, udp: UdpPair, feeds: Running["feeds"]): void => {
    const host = {
      get credentials() {
        return auth;
      },
      get refusal() {
        return refusal;
      },
      get mute() {
        return mute;
      },
      startAnywhere: options.startAnywhere ?? false,
      udp,
      sdp: (path: string) => feeds.get(path)?.sdp,
      log: (entry: string) => void requests.push(entry),
    };
    listener.on("connection", (socket) => {
      const connection = new RtspConnection(socket, host);
      connections.add(connection);
      socket.on("close", () => connections.delete(connection));
    });
  };

  const relay =
    (path: string): OnPacket =>
    (kind, packet, beginsKey) => {
      if (stalled || mute) return;
      const came = line ? line(packet) : { packet };
      for (const connection of connections) {
        if (came.garbage) connection.sendGarbage(path, came.garbage);
        if (came.packet) connection.send(path, kind, came.packet, beginsKey);
      }
    };

  const openFeed = async ([path, source]: [string, FeedSource]): Promise<[string, RtpFeed]> => [
    path,
    await startFeed(source, relay(path)),
  ];

  const start = async (): Promise<void> => {
    if (running) throw new Error("The camera is on already.");
    const opened = await Promise.allSettled([...paths].map(openFeed));
    const feeds = new Map(opened.flatMap((feed) => (feed.status === "fulfilled" ? [feed.value] : [])));
    const listener = createServer();
    const udp = await bindPair();
    running = { listener, udp, feeds };
    try {
      for (const feed of opened) if (feed.status === "rejected") throw feed.reason;
      accept(listener, udp, feeds);
      const listening = once(listener, "listening");
      listener.listen(port, "127.0.0.1");
      await listening;
      ({ port } = listener.address() as AddressInfo);
    } catch (error) {
      await stop();
      throw error;
    }
  };

  const dropClients = (): void => {
    for (const connection of connections) connection.destroy();
  };

  const stop = async (): Promise<void> => {
    if (!running) return;
    const { listener, udp, feeds } = running;
    running = undefined;
    const closed = new Promise<void>((done) => void listener.close(() => done()));
    dropClients();
    for (const feed of feeds.values()) feed.close();
    await closed;
    await closePair(udp);
  };

  await start();
  return {
    get port() {
      return port;
    },
    get clients() {
      return [...connections].filter((connection) => connection.playing).length;
    },
    requests,
    url: (path, credentials) => {
      const { user, password } = credentials ?? {};
      const userInfo = user === undefined ? "" : `${encodeURIComponent(user)}:${encodeURIComponent(password ?? "")}@`;
      return `rtsp://${userInfo}127.0.0.1:${port}${path}`;
    },
    setPassword: (password) => {
      auth = { user: auth?.user ?? "", password };
    },
    refuse: (status) => {
      refusal = status;
    },
    dropClients,
    stall: () => {
      stalled = true;
    },
    hang: () => {
      mute = true;
    },
    resume: () => {
      [stalled, mute] = [false, false];
      for (const connection of connections) connection.resync();
    },
    disturb: (share, seed = 1) => {
      line = share > 0 ? badLine(share, seed) : undefined;
    },
    change: async (path, source) => {
      paths.set(path, source);
      const feed = running?.feeds.get(path);
      if (feed) await feed.change(source);
      else running?.feeds.set(...(await openFeed([path, source])));
    },
    jump: (seconds) => {
      for (const feed of running?.feeds.values() ?? []) feed.jump(seconds);
    },
    stop,
    start,
    close: stop,
  };
}
