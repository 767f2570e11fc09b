// Takes a NUT stream of one raw yuv420p video apart as it arrives; a frame's bytes are read to where they stay, or copied there once.
// A second stream may carry each frame's width (see file-clock.ts); then frames may differ in size.
import { pictureBytes } from "../model/detection.ts";
import {
  ByteReader,
  crc32,
  garbage,
  INVALID_FRAME_CODE,
  readMainHeader,
  readStreamHeader,
  type MainHeader,
  type NutStream,
} from "./nut-headers.ts";
import { createSharedCopy } from "./shared-copy.ts";

/** What becomes of the pictures. The handlers may call `stop`, but neither `push` nor `resume`. */
export interface NutHandlers {
  /** Once, before the first picture. */
  onStream(stream: NutStream): void;
  /**
   * A frame of this size begins, at this time: the buffer it goes to, `skip` to let it pass, `wait` to be asked again on `resume`.
   */
  onPicture(ticks: number, width: number, height: number): Uint8Array | "skip" | "wait";
  /** The picture is complete, or has passed. */
  onPictureEnd(ticks: number): void;
}

const FILE_ID = new TextEncoder().encode("nut/multimedia container\0");
/** First byte of all start codes. */
const N = 0x4e;
const MAIN = "4e4d7a561f5f04ad";
const STREAM = "4e5311405bf2f9db";
const SYNCPOINT = "4e4be4adeeca4569";
const INFO = "4e49ab68b596ba78";
const INDEX = "4e58dd672f23e64e";
/** Far above any header of ffmpeg's, and soon enough to notice garbage. */
const MAX_PACKET = 1 << 16;

const FLAG = {
  END: 2,
  PTS: 8,
  STREAM: 16,
  SIZE: 32,
  CHECKSUM: 64,
  RESERVED: 128,
  ELIDED: 1024,
  MATCH: 2048,
  CODED: 4096,
};
const NOTHING = new Uint8Array(0);
/** Of what lies between pictures, so that little of the next one is read with it. */
const HEADER_ROOM = 8 * 1024;
const LARGEST_ROOM = 64 * 1024;

/** What `#header` found: how many bytes to go on by, or that the rest is missing, or that there is no buffer. */
type Found = number | "short" | "wait";

export class NutParser {
  readonly #handlers: NutHandlers;
  readonly #copy = createSharedCopy();
  /** What was not read yet: the beginning of a header, or all there is while waiting. */
  #rest: Uint8Array = NOTHING;
  #begun = false;
  #stopped = false;
  #main: MainHeader | undefined;
  /** Of frames. */
  #stream: NutStream | undefined;
  /** Of their widths, where each frame is announced. */
  #widths: NutStream | undefined;
  /** Of the next frame, as announced; undefined before that. */
  #announced: number | undefined;
  #width = 0;
  #height = 0;
  /** Of the packet that is being read. */
  #bytes = 0;
  #isWidth = false;
  /** The last time of each stream, by its number. */
  readonly #ticks: [number, number] = [0, 0];
  #target: Uint8Array | undefined;
  /** Bytes of the current picture that are still to come; -1 between pictures. */
  #missing = -1;
  readonly #scratch = new Uint8Array(LARGEST_ROOM);
  /** Whether the next bytes go into the picture itself. */
  #direct = false;

  constructor(handlers: NutHandlers) {
    this.#handlers = handlers;
  }

  /** Where the next bytes may be put, for `filled`: a picture's own place, as long as it is known. */
  room(): Uint8Array {
    this.#direct = this.#missing > 0 && this.#target !== undefined;
    if (this.#direct) return this.#target!.subarray(this.#bytes - this.#missing, this.#bytes);
    return this.#missing > 0 ? this.#scratch : this.#scratch.subarray(0, HEADER_ROOM);
  }

  /** So many bytes were put there. False as with `push`. */
  filled(count: number): boolean {
    if (this.#stopped) return true;
    if (this.#direct) {
      this.#missing -= count;
      return this.#read(NOTHING);
    }
    const goOn = this.push(this.#scratch.subarray(0, count));
    if (this.#rest.buffer === this.#scratch.buffer) this.#rest = this.#rest.slice();
    return goOn;
  }

  /** Takes the next bytes. False: a picture waits for its buffer, push no more until `resume` says true. */
  push(chunk: Uint8Array): boolean {
    return this.#read(this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk);
  }

  /** Goes on with what is there. */
  resume(): boolean {
    return this.#read(this.#rest);
  }

  /** From now on everything is ignored. */
  stop(): void {
    this.#stopped = true;
    this.#rest = NOTHING;
    this.#target = undefined;
  }

  #read(data: Uint8Array): boolean {
    this.#rest = NOTHING;
    let at = 0;
    while (!this.#stopped) {
      if (this.#missing >= 0) {
        const count = Math.min(this.#missing, data.length - at);
        if (this.#target) this.#copy(this.#target, this.#bytes - this.#missing, data.subarray(at, at + count));
        this.#missing -= count;
        at += count;
        if (this.#missing > 0) return true;
        this.#missing = -1;
        this.#target = undefined;
        if (!this.#isWidth) this.#handlers.onPictureEnd(this.#ticks[this.#stream!.number]!);
        continue;
      }
      if (at === data.length) return true;
      const found = this.#header(data, at);
      if (typeof found === "number") {
        at = found;
        continue;
      }
      this.#rest = data.subarray(at);
      return found === "short";
    }
    return true;
  }

  #header(data: Uint8Array, at: number): Found {
    if (!this.#begun) return this.#fileId(data, at);
    return data[at] === N ? this.#packet(data, at) : this.#frame(data, at);
  }

  #fileId(data: Uint8Array, at: number): Found {
    const begin = data.subarray(at, at + FILE_ID.length);
    if (begin.some((byte, i) => byte !== FILE_ID[i])) throw garbage("it does not begin as one");
    if (begin.length < FILE_ID.length) return "short";
    this.#begun = true;
    return at + FILE_ID.length;
  }

  /** A start code, the length of what follows (with a checksum of these two when it is long), a body and its checksum. */
  #packet(data: Uint8Array, at: number): Found {
    const reader = new ByteReader(data, at);
    const code = Buffer.from(reader.bytes(8)).toString("hex");
    const length = reader.varint();
    if (reader.short) return "short";
    if (length < 4 || length > MAX_PACKET) throw garbage(`a packet has ${length} bytes`);
    if (length > 4096) reader.uint32();
    const body = reader.bytes(length - 4);
    const checksum = reader.uint32();
    if (reader.short) return "short";
    if (crc32(body) !== checksum) throw garbage("a checksum is wrong");
    this.#body(code, body);
    return reader.at;
  }

  #body(code: string, body: Uint8Array): void {
    if (code === MAIN) {
      this.#main = readMainHeader(body);
    } else if (code === STREAM) {
      if (!this.#main) throw garbage("its main header is missing");
      this.#open(readStreamHeader(body, this.#main));
    } else if (code === SYNCPOINT) {
      if (!this.#main || !this.#stream) throw garbage("its headers are missing");
      const time = new ByteReader(body).varint();
      const count = this.#main.timeBases.length;
      const [numerator, denominator] = this.#main.timeBases[time % count]!;
      for (const stream of [this.#stream, this.#widths]) {
        if (!stream) continue;
        const ratio = (numerator * stream.timeBase[1]) / (denominator * stream.timeBase[0]);
        this.#ticks[stream.number] = Math.floor(Math.floor(time / count) * ratio);
      }
    } else if (code !== INFO && code !== INDEX) {
      throw garbage(`it has an unknown packet ${code}`);
    }
  }

  /** Headers are repeated now and then, always the same: a frame of another size is announced, or is an error. */
  #open(stream: NutStream): void {
    if (stream.number > 1) throw garbage(`it has a stream ${stream.number}`);
    if (stream.kind === "widths") {
      this.#widths = stream;
      return;
    }
    const known = this.#stream;
    this.#stream = stream;
    if (known) {
      if (known.width !== stream.width || known.height !== stream.height) throw garbage("its size changed");
      return;
    }
    this.#width = stream.width;
    this.#height = stream.height;
    this.#handlers.onStream(stream);
  }

  #frame(data: Uint8Array, at: number): Found {
    if (!this.#main || !this.#stream) throw garbage("its headers are missing");
    const reader = new ByteReader(data, at);
    const code = this.#main.frameCodes[reader.byte()]!;
    let { flags, headerIndex } = code;
    if (flags & INVALID_FRAME_CODE) throw garbage("a frame begins with a wrong byte");
    if (flags & FLAG.CODED) flags ^= reader.varint();
    const number = flags & FLAG.STREAM ? reader.varint() : code.stream;
    const stream = [this.#stream, this.#widths].find((one) => one?.number === number);
    if (!stream) {
      if (reader.short) return "short";
      throw garbage("a frame belongs to no stream");
    }
    const last = this.#ticks[number]!;
    const ticks = flags & FLAG.PTS ? fullTicks(reader.varint(), last, stream.ptsBits) : last + code.ptsDelta;
    const size = code.sizeLsb + (flags & FLAG.SIZE ? code.sizeMul * reader.varint() : 0);
    if (flags & FLAG.MATCH) reader.signed();
    if (flags & FLAG.ELIDED) headerIndex = reader.varint();
    const reserved = flags & FLAG.RESERVED ? reader.varint() : code.reserved;
    for (let i = 0; i < reserved && !reader.short; i++) reader.varint();
    const end = reader.at;
    const checksum = flags & FLAG.CHECKSUM ? reader.uint32() : undefined;
    if (reader.short) return "short";
    if (checksum !== undefined && crc32(data.subarray(at, end)) !== checksum) throw garbage("a checksum is wrong");
    if (flags & FLAG.END && size === 0) return reader.at;
    return this.#begin(stream, ticks, size, size > 4096 ? 0 : headerIndex, reader.at);
  }

  #begin(stream: NutStream, ticks: number, size: number, headerIndex: number, at: number): Found {
    const elided = this.#main!.elided[headerIndex];
    if (!elided || elided.length > size) throw garbage("a frame leaves out an unknown beginning");
    this.#isWidth = stream.kind === "widths";
    if (this.#isWidth) {
      if (size < 1 || size > MAX_WIDTH) throw garbage(`a frame is ${size} pixels wide`);
      this.#announced = size;
    } else {
      this.#measure(size);
      const target = this.#handlers.onPicture(ticks, this.#width, this.#height);
      if (target === "wait") return "wait";
      this.#target = target === "skip" ? undefined : target;
      this.#target?.set(elided);
      this.#announced = undefined;
    }
    this.#ticks[stream.number] = ticks;
    this.#bytes = size;
    this.#missing = size - elided.length;
    return at;
  }

  /** Finds the size of the frame that begins: from its bytes and the width that was announced, or as it was. */
  #measure(bytes: number): void {
    if (this.#widths && this.#announced === undefined) throw garbage("a frame has no width");
    const width = this.#announced ?? this.#width;
    const known = pictureBytes("yuv420p", this.#width, this.#height);
    if (width === this.#width && bytes === known) return;
    const height = this.#widths ? heightOf(bytes, width) : undefined;
    if (height === undefined) throw garbage(`a picture has ${bytes} bytes and not ${known}`);
    this.#width = width;
    this.#height = height;
  }
}

/** Far above what ffmpeg decodes. */
const MAX_WIDTH = 1 << 16;

/** The height at which yuv420p of this width has this number of bytes: rows of luma, and half as many of chroma, rounded up. */
function heightOf(bytes: number, width: number): number | undefined {
  const height = Math.floor(bytes / (width + Math.ceil(width / 2)));
  return height > 0 && pictureBytes("yuv420p", width, height) === bytes ? height : undefined;
}

/** Times are coded by their low bits, near the last one, or in full where that is not enough. */
function fullTicks(coded: number, last: number, bits: number): number {
  const span = 2 ** bits;
  if (coded >= span) return coded - span;
  const lowest = last - Math.floor((span - 1) / 2);
  return lowest + ((((coded - lowest) % span) + span) % span);
}
