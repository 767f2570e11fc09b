// The way to a camera whose address was checked: a port of this machine, for one connection, over which no camera can redirect ffmpeg.
import { once } from "node:events";
import { connect, createServer, isIP, type AddressInfo, type Socket } from "node:net";
import { pipeline, Transform } from "node:stream";
import { connect as connectTls } from "node:tls";
import { MultiboxError, sentenceOf } from "../errors.ts";

export interface RtspTunnel {
  /** On 127.0.0.1, in plain RTSP. */
  readonly port: number;
  /** ADDRESS_FORBIDDEN once the camera has tried to lead somewhere else. */
  readonly refusal: MultiboxError | undefined;
  /** Idempotent. Ends the connection. */
  close(): void;
}

export interface TunnelOptions {
  /** That was checked. */
  readonly address: string;
  readonly port: number;
  /** As the URL has it: for sentences, and for TLS. */
  readonly host: string;
  readonly tls: boolean;
}

const CONNECT_MS = 10_000;
/** More than ffmpeg reads of a line. */
const LINE = 8192;
/** As ffmpeg reads it, wherever it stands: what it would take for the beginning of a line is not ours to know. */
const REDIRECTION = /RTSP\/\S*\s+\+?0*3\d\d(?!\d)/i;

/**
 * ffmpeg follows RTSP's redirections (status 3xx) without asking anyone, until it plays; until then what the camera says is read
 * here first. Fails with STREAM_UNREACHABLE.
 */
export async function openRtspTunnel(options: TunnelOptions): Promise<RtspTunnel> {
  const remote = await reach(options);
  const server = createServer({ pauseOnConnect: true });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  let refusal: MultiboxError | undefined;
  const close = (): void => {
    server.close();
    remote.destroy();
  };
  remote.once("close", () => server.close());
  server.once("connection", (local) => {
    server.close();
    const guard = watch(local, () => {
      const sentence = `The camera at "${options.host}" leads to another address, which is not checked.`;
      refusal = new MultiboxError("ADDRESS_FORBIDDEN", sentence, "Give the address where it really is.");
      return refusal;
    });
    // Whichever side ends, or fails, ends the other.
    pipeline(local, remote, () => close());
    pipeline(remote, guard, local, () => close());
  });
  return {
    port: (server.address() as AddressInfo).port,
    get refusal() {
      return refusal;
    },
    close,
  };
}

async function reach({ address, port, host, tls }: TunnelOptions): Promise<Socket> {
  const at = { host: address, port, timeout: CONNECT_MS };
  // Cameras sign their certificates themselves; ffmpeg does not verify them either.
  const name = host.replace(/^\[(.*)\]$/, "$1");
  const secure = { ...at, rejectUnauthorized: false, ...(isIP(name) === 0 && { servername: name }) };
  const socket = tls ? connectTls(secure) : connect(at);
  socket.once("timeout", () => socket.destroy(new Error("Connection timed out")));
  try {
    await once(socket, tls ? "secureConnect" : "connect");
  } catch (cause) {
    const sentence = `"${host}" cannot be reached: ${sentenceOf(cause)}.`;
    const hint = "Check the address and port, and that the device is on.";
    throw new MultiboxError("STREAM_UNREACHABLE", sentence, hint, { cause });
  }
  // Stalls are noticed elsewhere, and the camera may hang up before ffmpeg is there.
  socket.setTimeout(0);
  socket.on("error", () => undefined);
  return socket;
}

/** Lets through what the camera says, unless it redirects before `local` has asked to play. */
function watch(local: Socket, refuse: () => Error): Transform {
  let said = "";
  let plays = false;
  local.on("data", (request: Buffer) => (plays ||= request.subarray(0, 5).toString("latin1") === "PLAY "));
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (plays) return done(null, chunk);
      // ffmpeg leaves these out, wherever they stand.
      said = (said + chunk.toString("latin1").replaceAll("\r", "")).slice(-LINE);
      if (REDIRECTION.test(said)) done(refuse());
      else done(null, chunk);
    },
  });
}
