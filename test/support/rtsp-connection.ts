// One client of the test RTSP server: answers its requests and sends it packets, interleaved or over UDP.
import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { answersChallenge, challengeHeader, newChallenge, type Credentials } from "./digest.ts";
import type { PacketKind, UdpPair } from "./rtp.ts";
import { formatAnswer, interleave, RequestReader, type RtspAnswer, type RtspRequest } from "./rtsp-message.ts";

/** What a connection asks of its server, at each request anew. */
export interface RtspHost {
  readonly credentials: Credentials | undefined;
  /** Answer every DESCRIBE and later step with this status. */
  readonly refusal: number | undefined;
  /** Take requests and answer none. */
  readonly mute: boolean;
  /** Begin to send wherever the stream is, and not with a key frame. */
  readonly startAnywhere: boolean;
  readonly udp: UdpPair;
  /** The stream description of a path, or undefined where nothing is. */
  sdp(path: string): string | undefined;
  /** A request was answered: `DESCRIBE /cam1 200`. */
  log(entry: string): void;
}

interface Session {
  readonly id: string;
  readonly path: string;
  readonly transport: Transport;
  playing: boolean;
  /** Nothing is sent before the next key frame, so that a decoder starts clean. */
  awaitsKeyFrame: boolean;
}

/** Channels of the TCP connection, or UDP ports of the client. */
interface Transport extends Readonly<Record<PacketKind, number>> {
  readonly kind: "tcp" | "udp";
}

const METHODS = ["OPTIONS", "DESCRIBE", "SETUP", "PLAY", "PAUSE", "GET_PARAMETER", "TEARDOWN"];
const TRACK = "trackID=0";
/** A client that does not read loses packets beyond this many waiting bytes. */
const MAX_WAITING = 1024 * 1024;

export class RtspConnection {
  readonly #socket: Socket;
  readonly #host: RtspHost;
  readonly #challenge = newChallenge("multibox test camera");
  #session: Session | undefined;

  constructor(socket: Socket, host: RtspHost) {
    this.#socket = socket.setNoDelay(true);
    this.#host = host;
    const reader = new RequestReader();
    socket.on("error", () => socket.destroy());
    socket.on("close", () => (this.#session = undefined));
    socket.on("data", (piece) => {
      try {
        for (const request of reader.push(piece)) this.#reply(request);
      } catch {
        socket.end("RTSP/1.0 400 Bad Request\r\n\r\n");
      }
    });
  }

  get playing(): boolean {
    return this.#session?.playing ?? false;
  }

  /** A packet of a path's stream, for this client if it plays that; `beginsKey`: a decoder can begin with it. */
  send(path: string, kind: PacketKind, packet: Buffer, beginsKey: boolean): void {
    const session = this.#session;
    if (!session?.playing || session.path !== path) return;
    if (session.awaitsKeyFrame && !beginsKey && !this.#host.startAnywhere) return;
    session.awaitsKeyFrame = false;
    const target = session.transport[kind];
    if (session.transport.kind === "udp") this.#host.udp[kind].send(packet, target, this.#socket.remoteAddress);
    else if (this.#socket.writableLength < MAX_WAITING) this.#socket.write(interleave(target, packet));
  }

  /** Bytes that are no packet, in the midst of those that are. */
  sendGarbage(path: string, bytes: Buffer): void {
    const session = this.#session;
    if (!session?.playing || session.path !== path) return;
    const { kind, rtp } = session.transport;
    if (kind === "udp") this.#host.udp.rtp.send(bytes, rtp, this.#socket.remoteAddress);
    else this.#socket.write(bytes);
  }

  /** After a gap: goes on with the next key frame. */
  resync(): void {
    if (this.#session) this.#session.awaitsKeyFrame = true;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #reply(request: RtspRequest): void {
    const path = pathOf(request.url);
    if (this.#host.mute) return this.#host.log(`${request.method} ${path} unanswered`);
    const answer = this.#answer(request, path);
    const transport = request.method === "SETUP" && answer.status === 200 ? ` ${this.#session?.transport.kind}` : "";
    this.#host.log(`${request.method} ${path} ${answer.status}${transport}`);
    this.#socket.write(formatAnswer(request, answer));
  }

  #answer(request: RtspRequest, path: string): RtspAnswer {
    const { method, headers } = request;
    if (method === "OPTIONS") return { status: 200, headers: { Public: METHODS.join(", ") } };
    if (!METHODS.includes(method)) return { status: 405, headers: { Allow: METHODS.join(", ") } };
    const { credentials, refusal } = this.#host;
    if (credentials && !answersChallenge(headers.get("authorization"), this.#challenge, request, credentials)) {
      return { status: 401, headers: { "WWW-Authenticate": challengeHeader(this.#challenge) } };
    }
    if (refusal !== undefined) return { status: refusal };
    const sdp = this.#host.sdp(path);
    if (sdp === undefined) return { status: 404 };
    if (method === "DESCRIBE") return describe(request.url, sdp);
    if (method === "SETUP") return this.#setUp(headers.get("transport") ?? "", path);
    return this.#control(method, headers.get("session"));
  }

  #setUp(offer: string, path: string): RtspAnswer {
    if (this.playing) return { status: 455 };
    const transport = offer.split(",").map(parseTransport).find(Boolean);
    if (transport === undefined) return { status: 461 };
    const id = this.#session?.id ?? randomBytes(4).toString("hex");
    this.#session = { id, path, transport, playing: false, awaitsKeyFrame: true };
    const { kind, rtp, rtcp } = transport;
    const { udp } = this.#host;
    const agreed =
      kind === "tcp"
        ? `RTP/AVP/TCP;unicast;interleaved=${rtp}-${rtcp}`
        : `RTP/AVP;unicast;client_port=${rtp}-${rtcp};server_port=${udp.rtp.address().port}-${udp.rtcp.address().port}`;
    return { status: 200, headers: { Transport: agreed, Session: `${id};timeout=60` } };
  }

  /** The methods that need a session, save that GET_PARAMETER is also how clients say that they are still there. */
  #control(method: string, id: string | undefined): RtspAnswer {
    const session = this.#session;
    if (method === "GET_PARAMETER" && id === undefined) return { status: 200 };
    if (session === undefined || id?.split(";")[0] !== session.id) return { status: 454 };
    if (method === "TEARDOWN") this.#session = undefined;
    if (method === "PLAY" || method === "PAUSE") {
      session.playing = method === "PLAY";
      session.awaitsKeyFrame = true;
    }
    return { status: 200, headers: { Session: session.id, ...(method === "PLAY" && { Range: "npt=now-" }) } };
  }
}

/** The path of a request without the track: `/cam1` for `rtsp://host:port/cam1/trackID=0`; `*` names the server. */
function pathOf(url: string): string {
  if (url === "*") return url;
  const path = new URL(url).pathname.replace(/\/+$/, "");
  return path.endsWith(`/${TRACK}`) ? path.slice(0, -TRACK.length - 1) : path;
}

/** The feed's description, told as a server's: ports are agreed on in SETUP, and the one track has a name. */
function describe(url: string, sdp: string): RtspAnswer {
  const body = sdp
    .replace(/^m=video \d+/m, "a=control:*\r\na=range:npt=now-\r\nm=video 0")
    .replace(/\r?\n?$/, `\r\na=control:${TRACK}\r\n`);
  const base = url.endsWith("/") ? url : `${url}/`;
  return { status: 200, headers: { "Content-Base": base, "Content-Type": "application/sdp" }, body };
}

function parseTransport(offer: string): Transport | undefined {
  const [profile, ...parameters] = offer.trim().split(";");
  const pair = (name: string): RegExpExecArray | null =>
    new RegExp(`^${name}=(\\d+)-(\\d+)$`, "m").exec(parameters.join("\n"));
  const kind = profile === "RTP/AVP/TCP" ? "tcp" : "udp";
  const ends = pair(kind === "tcp" ? "interleaved" : "client_port");
  if (!ends || parameters.includes("multicast")) return undefined;
  return { kind, rtp: Number(ends[1]), rtcp: Number(ends[2]) };
}
