// Real RTP for the tests: a clip in real time, cut into packets as a camera does (RFC 3550, RFC 6184), with a clock that can lie.
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { isKey, loadClip, TICKS, type AccessUnit, type Clip, type FeedSource } from "./h264-clip.ts";

export interface RtpFeed {
  /** The stream as SDP describes it: H.264 with its parameter sets. */
  readonly sdp: string;
  /** From the next picture on: another clip, with no word to those who watch. */
  change(source: FeedSource): Promise<void>;
  /** The camera's clock jumps, forwards or backwards. */
  jump(seconds: number): void;
  close(): void;
}

export type PacketKind = "rtp" | "rtcp";
export type UdpPair = Readonly<Record<PacketKind, Socket>>;

/** A packet, and whether a decoder can begin with it. */
export type OnPacket = (kind: PacketKind, packet: Buffer, beginsKey: boolean) => void;

/** Every feed's numbers and times overflow soon after it has begun, as those of a camera do some day. */
const FIRST_NUMBER = 0xffff - 300;
const FIRST_TICK = 2 ** 32 - 3 * TICKS;
const SSRC = 0x6d756c74;
const MAX_PAYLOAD = 1400;
/** Clients that were away for so long are not sent what they have missed. */
const LATE_MS = 1000;

/** Plays over and over; every packet goes to `onPacket`. */
export async function startFeed(source: FeedSource, onPacket: OnPacket): Promise<RtpFeed> {
  let clip = await loadClip(source);
  let [number, next, sent, octets, reported] = [FIRST_NUMBER, 0, 0, 0, 0];
  /** When the clip began, on the clock that never jumps, and the time of its beginning on the camera's. */
  let began = performance.now();
  let base = FIRST_TICK;
  let timer: NodeJS.Timeout | undefined;

  const send = (unit: AccessUnit): void => {
    const time = base + unit.shownAt;
    const payloads = unit.nals.flatMap(payloadsOf);
    for (const [i, payload] of payloads.entries()) {
      onPacket("rtp", rtpPacket(payload, number++, time, i === payloads.length - 1), i === 0 && isKey(unit));
      sent += 1;
      octets += payload.length;
    }
    if (performance.now() - reported < 1000) return;
    reported = performance.now();
    onPacket("rtcp", senderReport(time, sent, octets), false);
  };
  const dueIn = (): number => began + (clip.units[next]!.sentAt * 1000) / TICKS - performance.now();
  const play = (): void => {
    if (dueIn() < -LATE_MS) began -= dueIn();
    while (dueIn() <= 0) {
      send(clip.units[next]!);
      next += 1;
      if (next === clip.units.length) begin(clip);
    }
    timer = setTimeout(play, dueIn());
  };
  /** Where the last clip ends or is broken off. */
  const begin = (with_: Clip): void => {
    const played = clip.units[next]?.sentAt ?? clip.duration;
    began += (played * 1000) / TICKS;
    base += played;
    clip = with_;
    next = 0;
  };
  play();
  return {
    get sdp() {
      return describe(clip);
    },
    async change(to) {
      begin(await loadClip(to));
    },
    jump: (seconds) => {
      base += seconds * TICKS;
    },
    close: () => clearTimeout(timer),
  };
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

/** A NAL unit as it is, or in fragments that begin with its type (FU-A, RFC 6184, section 5.8). */
function payloadsOf(nal: Buffer): Buffer[] {
  if (nal.length <= MAX_PAYLOAD) return [nal];
  const [FU_A, START, END] = [28, 0x80, 0x40];
  const [indicator, type] = [(nal[0]! & 0xe0) | FU_A, nal[0]! & 0x1f];
  const fragments: Buffer[] = [];
  for (let at = 1; at < nal.length; at += MAX_PAYLOAD) {
    const end = Math.min(nal.length, at + MAX_PAYLOAD);
    const place = (at === 1 ? START : 0) | (end === nal.length ? END : 0);
    fragments.push(Buffer.concat([Buffer.of(indicator, place | type), nal.subarray(at, end)]));
  }
  return fragments;
}

function rtpPacket(payload: Buffer, number: number, time: number, isLast: boolean): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt16BE(0x8000 | (isLast ? 0x80 : 0) | PAYLOAD_TYPE, 0);
  header.writeUInt16BE(number & 0xffff, 2);
  header.writeUInt32BE(Math.round(time) >>> 0, 4);
  header.writeUInt32BE(SSRC, 8);
  return Buffer.concat([header, payload]);
}

/** What the camera's clock says of its stream (RFC 3550, section 6.4.1), in seconds since 1900. */
function senderReport(time: number, packets: number, octets: number): Buffer {
  const report = Buffer.alloc(28);
  const now = Date.now() / 1000 + 2_208_988_800;
  report.writeUInt32BE(0x80c80006, 0);
  report.writeUInt32BE(SSRC, 4);
  report.writeUInt32BE(Math.floor(now) >>> 0, 8);
  report.writeUInt32BE(Math.floor((now % 1) * 2 ** 32), 12);
  report.writeUInt32BE(Math.round(time) >>> 0, 16);
  report.writeUInt32BE(packets >>> 0, 20);
  report.writeUInt32BE(octets >>> 0, 24);
  return report;
}

const PAYLOAD_TYPE = 96;

function describe({ sps, pps }: Clip): string {
  const sets = [sps, pps].map((set) => set.toString("base64")).join();
  return [
    "v=0",
    "o=- 0 0 IN IP4 127.0.0.1",
    "s=multibox test camera",
    "c=IN IP4 127.0.0.1",
    "t=0 0",
    `m=video 0 RTP/AVP ${PAYLOAD_TYPE}`,
    `a=rtpmap:${PAYLOAD_TYPE} H264/${TICKS}`,
    `a=fmtp:${PAYLOAD_TYPE} packetization-mode=1;sprop-parameter-sets=${sets};profile-level-id=${sps.toString("hex", 1, 4)}`,
    "",
  ].join("\r\n");
}

async function bind(port: number): Promise<Socket> {
  const socket = createSocket({ type: "udp4" });
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
