// The small parts of a NUT file: numbers, checksums, packets and headers (the NUT specification, github.com/FFmpeg/FFmpeg doc/nut.texi).
import { MultiboxError } from "../errors.ts";

/** What a stream header describes. */
export interface NutStream {
  /** Of its packets in the main header's table. */
  readonly number: number;
  /** Frames of yuv420p; or rows of gray that are as wide as the frame that follows: the size side channel (see file-clock.ts). */
  readonly kind: "frames" | "widths";
  readonly width: number;
  readonly height: number;
  /** Seconds a tick, as a fraction: times that are to be exact are `ticks * numerator / denominator`. */
  readonly timeBase: readonly [numerator: number, denominator: number];
  /** Width to height of one stored pixel; `[0, 0]` or `[0, 1]` when the source does not say. */
  readonly sampleAspect: readonly [number, number];
  /** How many low bits of a time are enough to tell it from its neighbours'. */
  readonly ptsBits: number;
}

/** What one of the 256 first bytes of a frame stands for. */
interface FrameCode {
  readonly flags: number;
  readonly ptsDelta: number;
  readonly sizeMul: number;
  readonly sizeLsb: number;
  readonly reserved: number;
  readonly headerIndex: number;
  readonly stream: number;
}

export interface MainHeader {
  readonly timeBases: readonly (readonly [numerator: number, denominator: number])[];
  readonly frameCodes: readonly FrameCode[];
  /** First bytes that frames need not repeat; number 0 is none. */
  readonly elided: readonly Uint8Array[];
}

export const INVALID_FRAME_CODE = 1 << 13;

export const garbage = (what: string): MultiboxError =>
  new MultiboxError("NUT_INVALID", `What came from ffmpeg is no NUT stream of raw pictures: ${what}.`);

/** Reads numbers; past the end it reads zeros and says so in `short`, because the rest may still be under way. */
export class ByteReader {
  readonly #data: Uint8Array;
  readonly #end: number;
  at: number;
  short = false;

  constructor(data: Uint8Array, at = 0, end: number = data.length) {
    this.#data = data;
    this.at = at;
    this.#end = end;
  }

  get left(): number {
    return this.#end - this.at;
  }

  byte(): number {
    if (this.at < this.#end) return this.#data[this.at++]!;
    this.short = true;
    return 0;
  }

  /** `v`: seven bits a byte, the highest first; the last byte is below 128. */
  varint(): number {
    let value = 0;
    for (;;) {
      const byte = this.byte();
      value = value * 128 + (byte & 127);
      if (byte < 128) return value;
      if (value > Number.MAX_SAFE_INTEGER / 128) throw garbage("a number is too long");
    }
  }

  /** `s`: 0, 1, -1, 2, -2 ... */
  signed(): number {
    const value = this.varint() + 1;
    return value % 2 === 1 ? -(value - 1) / 2 : value / 2;
  }

  uint32(): number {
    return ((this.byte() << 24) | (this.byte() << 16) | (this.byte() << 8) | this.byte()) >>> 0;
  }

  /** A view, not a copy. */
  bytes(count: number): Uint8Array {
    const from = this.at;
    if (count > this.left) this.short = true;
    this.at = Math.min(this.#end, from + count);
    return this.#data.subarray(from, this.at);
  }
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x80000000 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  return crc >>> 0;
});

/** CRC-32 with the polynomial 0x04C11DB7, highest bit first, from 0. */
export function crc32(data: Uint8Array): number {
  let crc = 0;
  for (const byte of data) crc = (crc << 8) ^ CRC_TABLE[(crc >>> 24) ^ byte]!;
  return crc >>> 0;
}

/** Versions 2 to 3 are stable; version 4 adds side data, which ffmpeg writes only when it is told to. */
export function readMainHeader(body: Uint8Array): MainHeader {
  const reader = new ByteReader(body);
  const version = reader.varint();
  if (version < 2 || version > 3) throw garbage(`it has version ${version}`);
  const streams = reader.varint();
  if (streams < 1 || streams > 2) throw garbage(`it has ${streams} streams`);
  reader.varint(); // The distance of syncpoints, which matters to those who seek.
  const timeBases = Array.from(
    { length: Math.min(reader.varint(), body.length) },
    () => [reader.varint(), reader.varint()] as const,
  );
  const frameCodes = readFrameCodes(reader);
  const elided: Uint8Array[] = [new Uint8Array(0)];
  if (reader.left > 0) {
    const count = Math.min(reader.varint(), body.length);
    for (let i = 0; i < count; i++) elided.push(reader.bytes(reader.varint()).slice());
  }
  if (reader.short || frameCodes.length !== 256) throw garbage("its main header is cut short");
  return { timeBases, frameCodes, elided };
}

/** The table comes in runs that share all but the low part of the size; each field may be left as it was. */
function readFrameCodes(reader: ByteReader): FrameCode[] {
  const codes: FrameCode[] = [];
  let ptsDelta = 0;
  let sizeMul = 1;
  let headerIndex = 0;
  let stream = 0;
  while (codes.length < 256 && !reader.short) {
    const flags = reader.varint();
    const fields = reader.varint();
    if (fields > 0) ptsDelta = reader.signed();
    if (fields > 1) sizeMul = reader.varint();
    if (fields > 2) stream = reader.varint();
    const sizeLsb = fields > 3 ? reader.varint() : 0;
    const reserved = fields > 4 ? reader.varint() : 0;
    let count = fields > 5 ? reader.varint() : sizeMul - sizeLsb;
    if (fields > 6) reader.signed(); // The time that would match another stream's.
    if (fields > 7) headerIndex = reader.varint();
    for (let i = 8; i < fields && !reader.short; i++) reader.varint();
    for (let j = 0; count > 0 && codes.length < 256;) {
      // 'N' begins start codes, so it is no frame's, and takes no part in the run.
      const isStartCode = codes.length === 0x4e;
      const own = isStartCode ? INVALID_FRAME_CODE : flags;
      codes.push({ flags: own, ptsDelta, sizeMul, sizeLsb: sizeLsb + j, reserved, headerIndex, stream });
      if (isStartCode) continue;
      j += 1;
      count -= 1;
    }
  }
  return codes;
}

export function readStreamHeader(body: Uint8Array, main: MainHeader): NutStream {
  const reader = new ByteReader(body);
  const number = reader.varint();
  const kind = reader.varint();
  const fourcc = String.fromCodePoint(...reader.bytes(reader.varint()).subarray(0, 4));
  if (kind !== 0 || (fourcc !== "I420" && fourcc !== "Y800"))
    throw garbage(`its stream is of kind ${kind}, coded as "${fourcc}"`);
  const timeBase = main.timeBases[reader.varint()];
  const ptsBits = reader.varint();
  reader.varint(); // How far times may lie apart without a checksum.
  reader.varint(); // The delay of the decoder: 0 for raw pictures.
  reader.varint(); // Flags: whether the frame rate is constant.
  reader.bytes(reader.varint());
  const width = reader.varint();
  const height = reader.varint();
  const sampleAspect = [reader.varint(), reader.varint()] as const;
  if (
    reader.short ||
    timeBase === undefined ||
    !(timeBase[0] > 0 && timeBase[1] > 0) ||
    width < 1 ||
    height < 1 ||
    ptsBits > 16
  ) {
    throw garbage("its stream header makes no sense");
  }
  return { number, kind: fourcc === "I420" ? "frames" : "widths", width, height, timeBase, sampleAspect, ptsBits };
}
