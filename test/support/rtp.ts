// Real RTP for the tests: an ffmpeg that encodes a test picture or a looped file in real time, sent to us over loopback UDP.
import { spawn, type ChildProcess } from "node:child_process";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { findFfmpeg } from "../../src/pipeline/find-ffmpeg.ts";

/** What a camera films: a file over and over, or ffmpeg's test picture of this size and rate. */
export interface FeedSource {
  readonly file?: string;
  /** `WIDTHxHEIGHT` of the test picture; 320x240 when absent. */
  readonly size?: string;
  /** Pictures a second of the test picture; 25 when absent. */
  readonly fps?: number;
}

export interface RtpFeed {
  /** What ffmpeg says of the stream: H.264 with its parameter sets. */
  readonly sdp: string;
  /** Kills ffmpeg and waits for its end. Idempotent. */
  close(): Promise<void>;
}

export type PacketKind = "rtp" | "rtcp";
export type UdpPair = Readonly<Record<PacketKind, Socket>>;

/** Starts ffmpeg and waits for its stream description; every packet of it goes to `onPacket`. */
export async function startFeed(
  source: FeedSource,
  onPacket: (kind: PacketKind, packet: Buffer) => void,
): Promise<RtpFeed> {
  const { path } = await findFfmpeg();
  const udp = await bindPair();
  udp.rtp.on("message", (packet) => onPacket("rtp", packet));
  udp.rtcp.on("message", (packet) => onPacket("rtcp", packet));
  const child = spawnGuarded([path, ...encoderArguments(source, udp.rtp.address().port)]);
  const ended = once(child, "close");
  let closing = false;
  const close = async (): Promise<void> => {
    if (closing) return void (await ended);
    closing = true;
    child.stdin?.destroy();
    await ended;
    await closePair(udp);
  };
  try {
    const sdp = await readSdp(child);
    child.stdout?.on("end", () => closing || process.emitWarning("The ffmpeg of a test's camera died."));
    return { sdp, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Two UDP sockets on loopback, RTP on an even port and RTCP on the next, as RFC 3550 wants it. */
export async function bindPair(): Promise<UdpPair> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const rtp = await bind(0);
    const { port } = rtp.address();
    const rtcp = port % 2 === 0 ? await bind(port + 1).catch(() => undefined) : undefined;
    if (rtcp !== undefined) return { rtp, rtcp };
    rtp.close();
  }
  throw new Error("No two neighbouring UDP ports are free.");
}

export async function closePair({ rtp, rtcp }: UdpPair): Promise<void> {
  await Promise.all([rtp, rtcp].map((socket) => new Promise<void>((done) => void socket.close(done))));
}

/** Whether a decoder can begin with this packet: the SPS goes before every key frame, alone or first in a STAP-A (RFC 6184). */
export function beginsKeyFrame(packet: Buffer): boolean {
  const payload = 12 + 4 * (packet[0]! & 0x0f);
  const [SPS, STAP_A] = [7, 24];
  const type = packet[payload]! & 0x1f;
  return type === SPS || (type === STAP_A && (packet[payload + 3]! & 0x1f) === SPS);
}

/** Four key frames a second, so that clients start soon, with parameter sets both in the SDP and in front; one thread is enough. */
function encoderArguments({ file, size = "320x240", fps = 25 }: FeedSource, port: number): string[] {
  const input =
    file === undefined ? ["-f", "lavfi", "-i", `testsrc=size=${size}:rate=${fps}`] : ["-stream_loop", "-1", "-i", file];
  const encoder =
    "-an -c:v libx264 -preset ultrafast -tune zerolatency -threads 1 -pix_fmt yuv420p -force_key_frames expr:gte(t,n_forced/4)";
  const output = "-flags +global_header -bsf:v dump_extra -f rtp";
  return [
    ..."-hide_banner -nostats -loglevel error -re".split(" "),
    ...input,
    ...`${encoder} ${output}`.split(" "),
    `rtp://127.0.0.1:${port}?rtcpport=${port + 1}`,
  ];
}

/**
 * Runs a command that cannot outlive us, however we die: a shell holds the other end of its standard input and kills
 * the command when that closes. Output belongs to the command alone, so it ends when the command does.
 */
function spawnGuarded(command: string[]): ChildProcess {
  const guard = '"$@" </dev/null & exec >&- 2>&-; read -r _; kill -9 $!; wait $!';
  return spawn("sh", ["-c", guard, "sh", ...command], { stdio: "pipe" });
}

/** ffmpeg prints `SDP:`, the description and an empty line once the first picture is encoded. */
async function readSdp(child: ChildProcess): Promise<string> {
  let printed = "";
  let complaints = "";
  child.stderr?.on("data", (text: Buffer) => (complaints = `${complaints}${text.toString()}`.slice(-2000)));
  return new Promise((done, fail) => {
    child.on("error", fail);
    child.stdout?.on("data", (text: Buffer) => {
      printed += text.toString();
      const sdp = /^SDP:\r?\n(.*?\n)\r?\n/s.exec(printed)?.[1];
      if (sdp !== undefined) done(sdp);
    });
    child.stdout?.on("end", () => fail(new Error(`ffmpeg ended before it had a stream: ${complaints}`)));
  });
}

async function bind(port: number): Promise<Socket> {
  // A key frame comes as one burst.
  const socket = createSocket({ type: "udp4", recvBufferSize: 4 * 1024 * 1024 });
  const bound = once(socket, "listening");
  socket.bind(port, "127.0.0.1");
  try {
    await bound;
    return socket;
  } catch (error) {
    socket.close();
    throw error;
  }
}
