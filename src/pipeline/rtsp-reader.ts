// Splits one direction of an RTSP connection into messages and interleaved packets, and accepts only what RFC 2326 allows.

/** A message's first line; the headers and the body were checked. */
export type OnMessage = (firstLine: string) => void;

/** ffmpeg reads lines into 4096 bytes and drops the rest; no line here is long enough for that. */
const MAX_LINE = 2048;
const MAX_HEAD = 8192;
/** An SDP of many tracks has a few kilobytes. */
const MAX_BODY = 65_536;
const INTERLEAVED = 0x24;

const HEADER = /^([!#$%&'*+.^_`|~0-9a-z-]+):[\t\x20-\x7e\x80-\xff]*$/i;
const CONTENT_LENGTH = /^content-length:[ \t]*(\d{1,6})[ \t]*$/i;

/**
 * Gives back the bytes of each message or packet once it is complete and checked, so that the reader behind it never sees a part
 * of anything else. Throws an Error with the reason on the first byte that is not strict RTSP.
 */
export class RtspReader {
  #rest: Buffer = Buffer.alloc(0);
  readonly #firstLine: RegExp;
  readonly #onMessage: OnMessage;

  /** `firstLine` matches a status line or a request line without its line end. */
  constructor(firstLine: RegExp, onMessage: OnMessage) {
    this.#firstLine = firstLine;
    this.#onMessage = onMessage;
  }

  push(chunk: Buffer): Buffer[] {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const whole: Buffer[] = [];
    for (;;) {
      const length = this.#rest[0] === INTERLEAVED ? packetLength(this.#rest) : this.#messageLength();
      if (length === undefined || length > this.#rest.length) return whole;
      whole.push(this.#rest.subarray(0, length));
      this.#rest = this.#rest.subarray(length);
    }
  }

  /** What has come of a message or packet that is not complete. */
  takeRest(): Buffer {
    const rest = this.#rest;
    this.#rest = Buffer.alloc(0);
    return rest;
  }

  /** Undefined until the head is complete. The message is reported when its body is, too. */
  #messageLength(): number | undefined {
    if (this.#rest.length === 0) return undefined;
    const text = this.#rest.toString("latin1", 0, MAX_HEAD);
    const end = text.indexOf("\r\n\r\n");
    const lines = (end < 0 ? text : text.slice(0, end)).split("\r\n");
    // The last line of an incomplete head may still grow, and its line end may have come by half.
    const open = end < 0 ? lines.pop()!.replace(/\r$/, "") : "";
    if (open.length > MAX_LINE) throw new Error(`a line of more than ${MAX_LINE} bytes`);
    if (/[^\t\x20-\x7e\x80-\xff]/.test(open)) throw new Error("a control character within a line");
    if (end < 0 && this.#rest.length >= MAX_HEAD) throw new Error(`headers of more than ${MAX_HEAD} bytes`);
    if (lines.length === 0) return undefined;
    const body = checkHead(lines, this.#firstLine);
    if (end < 0) return undefined;
    const length = end + 4 + body;
    if (length <= this.#rest.length) this.#onMessage(lines[0]!);
    return length;
  }
}

/** The length of the body. */
function checkHead([first = "", ...headers]: readonly string[], firstLine: RegExp): number {
  if (!firstLine.test(first)) throw new Error(`the line ${shown(first)}`);
  let body: number | undefined;
  for (const line of headers) {
    if (line.length > MAX_LINE) throw new Error(`a line of more than ${MAX_LINE} bytes`);
    const name = HEADER.exec(line)?.[1]?.toLowerCase();
    if (name === undefined) throw new Error(`the header ${shown(line)}`);
    if (name !== "content-length") continue;
    const length = CONTENT_LENGTH.exec(line)?.[1];
    if (length === undefined || body !== undefined) throw new Error(`the header ${shown(line)}`);
    body = Number(length);
    if (body > MAX_BODY) throw new Error(`a body of ${body} bytes`);
  }
  return body ?? 0;
}

/** `$`, channel, length, packet (RFC 2326, section 10.12). */
function packetLength(bytes: Buffer): number | undefined {
  return bytes.length < 4 ? undefined : 4 + bytes.readUInt16BE(2);
}

/** Short, in printable characters. */
function shown(line: string): string {
  const text = JSON.stringify(line.slice(0, 60)).replace(
    /[^\x20-\x7e]/g,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
  return line.length > 60 ? `${text.slice(0, -1)}..."` : text;
}
