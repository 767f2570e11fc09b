// The text side of RTSP/1.0 (RFC 2326): requests out of a TCP stream that also carries interleaved packets, and answers to them.

export interface RtspRequest {
  readonly method: string;
  readonly url: string;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
}

export interface RtspAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Longer requests than this are not RTSP. */
const MAX_REQUEST = 64 * 1024;
const INTERLEAVED = 0x24;

/**
 * Takes what a client sends, in pieces of any size, and gives back the requests that are complete. What the client
 * interleaves (its RTCP receiver reports) is skipped. Throws on what cannot be RTSP.
 */
export class RequestReader {
  #rest: Buffer = Buffer.alloc(0);

  push(piece: Buffer): RtspRequest[] {
    this.#rest = Buffer.concat([this.#rest, piece]);
    const requests: RtspRequest[] = [];
    for (;;) {
      const taken = this.#rest[0] === INTERLEAVED ? packetLength(this.#rest) : requestLength(this.#rest);
      if (taken === undefined) break;
      if (this.#rest[0] !== INTERLEAVED) requests.push(parseRequest(this.#rest.toString("utf8", 0, taken)));
      this.#rest = this.#rest.subarray(taken);
    }
    if (this.#rest.length > MAX_REQUEST) throw new Error("The request does not end.");
    return requests;
  }
}

export function formatAnswer(request: RtspRequest, { status, headers = {}, body = "" }: RtspAnswer): string {
  const cseq = request.headers.get("cseq") ?? "0";
  const fields = { CSeq: cseq, ...headers, ...(body && { "Content-Length": String(Buffer.byteLength(body)) }) };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  return `RTSP/1.0 ${status} ${REASONS[status] ?? "Error"}\r\n${lines.join("")}\r\n${body}`;
}

/** A packet inside the TCP connection: `$`, channel, length, packet (RFC 2326, section 10.12). */
export function interleave(channel: number, packet: Buffer): Buffer {
  return Buffer.concat([Buffer.of(INTERLEAVED, channel, packet.length >> 8, packet.length & 0xff), packet]);
}

const REASONS: Readonly<Record<number, string>> = {
  200: "OK",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  454: "Session Not Found",
  455: "Method Not Valid In This State",
  461: "Unsupported Transport",
  503: "Service Unavailable",
};

function packetLength(bytes: Buffer): number | undefined {
  if (bytes.length < 4) return undefined;
  const length = 4 + bytes.readUInt16BE(2);
  return bytes.length < length ? undefined : length;
}

function requestLength(bytes: Buffer): number | undefined {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const body = /^content-length:\s*(\d+)/im.exec(bytes.toString("latin1", 0, end))?.[1] ?? "0";
  const length = end + 4 + Number(body);
  return bytes.length < length ? undefined : length;
}

function parseRequest(text: string): RtspRequest {
  const [first = "", ...lines] = text.slice(0, text.indexOf("\r\n\r\n")).split("\r\n");
  const [, method, url] = /^([A-Z_]+) (\S+) RTSP\/1\.\d$/.exec(first) ?? [];
  if (method === undefined || url === undefined) throw new Error(`Not an RTSP request: ${first.slice(0, 80)}`);
  const headers = lines.map((line) => [fieldName(line), line.slice(line.indexOf(":") + 1).trim()] as const);
  return { method, url, headers: new Map(headers) };
}

function fieldName(line: string): string {
  return line.slice(0, line.indexOf(":")).trim().toLowerCase();
}
