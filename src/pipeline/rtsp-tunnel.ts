// The way to a camera whose address was checked: a port of this machine, for one connection, over which no camera can redirect ffmpeg.
import { once } from "node:events";
import { connect, createServer, isIP, type AddressInfo, type Socket } from "node:net";
import { pipeline, Transform } from "node:stream";
import { connect as connectTls } from "node:tls";
import { MultiboxError, sentenceOf } from "../errors.ts";
import { RtspReader } from "./rtsp-reader.ts";

export interface RtspTunnel {
  /** On 127.0.0.1, in plain RTSP. */
  readonly port: number;
  /** ADDRESS_FORBIDDEN once the connection was ended because of what the camera, or ffmpeg, has sent. */
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
  /** The connection was refused; `refusal` says why. The reader may not notice that it ended. */
  readonly onRefused?: () => void;
}

const CONNECT_MS = 10_000;
const STATUS_LINE = /^RTSP\/1\.0 [1-5]\d\d [\x20-\x7e\x80-\xff]*$/;
const REQUEST_LINE = /^[A-Z_]+ [\x21-\x7e\x80-\xff]+ RTSP\/1\.0$/;

/**
 * ffmpeg follows redirects (status 3xx) without asking until it plays, and reads status lines more leniently than any pattern for bad
 * ones could foresee. So until then only complete messages pass that are strict RTSP/1.0 and no redirect; everything else ends the connection.
 * Fails with STREAM_UNREACHABLE.
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
    const refuse = (reason: string, hint: string): Error => {
      refusal ??= new MultiboxError("ADDRESS_FORBIDDEN", `The camera at "${options.host}" ${reason}.`, hint);
      options.onRefused?.();
      return refusal;
    };
    const { requests, answers } = createFilters(refuse);
    // Whichever side ends, or fails, ends the other.
    pipeline(local, requests, remote, () => close());
    pipeline(remote, answers, local, () => close());
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

interface Filters {
  readonly requests: Transform;
  readonly answers: Transform;
}

type Refuse = (reason: string, hint: string) => Error;

/** Pass what both sides have to say strictly, until the camera has agreed to play; ffmpeg follows no redirect after that. */
function createFilters(refuse: Refuse): Filters {
  let asksToPlay = false;
  let plays = false;
  const request = new RtspReader(REQUEST_LINE, (line) => (asksToPlay ||= line.startsWith("PLAY ")));
  const answer = new RtspReader(STATUS_LINE, (line) => {
    const status = line.slice(9, 12);
    if (status.startsWith("3")) throw new Redirect();
    plays ||= asksToPlay && status.startsWith("2");
  });
  const filter = (reader: RtspReader, whose: string): Transform =>
    new Transform({
      transform(chunk: Buffer, _encoding, done) {
        if (plays) return done(null, Buffer.concat([reader.takeRest(), chunk]));
        try {
          const whole = reader.push(chunk);
          if (plays) whole.push(reader.takeRest());
          done(null, Buffer.concat(whole));
        } catch (error) {
          done(error instanceof Redirect ? refuse(REDIRECTS, GIVE_ADDRESS) : refuse(notStrict(whose, error), LET_IT));
        }
      },
    });
  return { requests: filter(request, "was sent"), answers: filter(answer, "sent") };
}

class Redirect extends Error {}

const REDIRECTS = "leads to another address, which is not checked";
const GIVE_ADDRESS = "Give the address where it really is.";
const notStrict = (whose: string, error: unknown): string =>
  `${whose} something that is not strict RTSP/1.0 and could lead to another address: ${sentenceOf(error)}`;
const LET_IT =
  "This server takes only public addresses over the API (setting `forbidPrivateAddresses`); give such a stream in its configuration.";
