// What the RTSP tunnel lets through: for any bytes, nothing that a reader as lenient as ffmpeg's takes for a redirect.
import { expect, test } from "vitest";
import { RtspReader } from "../../src/pipeline/rtsp-reader.ts";
import { fc } from "../support/fast-check.ts";

const STATUS_LINE = /^RTSP\/1\.0 [1-5]\d\d [\x20-\x7e\x80-\xff]*$/;

/** What passes of the pieces, and the first lines of the messages; reading ends at the first refusal. */
function read(pieces: readonly Buffer[]): { passed: Buffer; lines: string[]; refusal: string | undefined } {
  const lines: string[] = [];
  const reader = new RtspReader(STATUS_LINE, (line) => {
    if (line[9] === "3") throw new Error("a redirect");
    lines.push(line);
  });
  const passed: Buffer[] = [];
  try {
    for (const piece of pieces) passed.push(...reader.push(piece));
  } catch (error) {
    return { passed: Buffer.concat(passed), lines, refusal: (error as Error).message };
  }
  return { passed: Buffer.concat(passed), lines, refusal: undefined };
}

/** The statuses as ffmpeg's `ff_rtsp_read_reply` finds them: blanks are skipped, CR is dropped, `atoi` wraps at 32 bits. */
function statusesForFfmpeg(bytes: Buffer): number[] {
  const statuses: number[] = [];
  let at = 0;
  while (at < bytes.length) {
    let body = 0;
    let first: string | undefined;
    for (;;) {
      let line = "";
      let byte: number | undefined;
      while ((byte = bytes[at++]) !== undefined && byte !== 0x0a) {
        if (byte === 0x24 && line === "") at += 3 + (bytes.length >= at + 3 ? bytes.readUInt16BE(at + 1) : 0);
        else if (byte !== 0x0d && line.length < 4095) line += String.fromCharCode(byte);
      }
      if (byte === undefined || line.split("\0", 1)[0] === "") break;
      first ??= line;
      const length = /^content-length:\s*([+-]?\d+)/i.exec(line)?.[1];
      if (length !== undefined) body = Number(length);
    }
    const [, number] = /^RTSP\/[^ \t\r\n]*[ \t\r\n]*([+-]?\d+)/.exec(first ?? "") ?? [];
    if (number !== undefined) statuses.push(Number(BigInt.asIntN(32, BigInt(number))));
    at += Math.max(0, body);
  }
  return statuses;
}

const OK = "RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n";
const SDP = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\n";
const bytes = (text: string): Buffer => Buffer.from(text, "latin1");

test.each([
  ["an answer", OK],
  ["an answer with a body", `RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Length: ${SDP.length}\r\n\r\n${SDP}`],
  ["a refusal", 'RTSP/1.0 401 Unauthorized\r\nCSeq: 1\r\nWWW-Authenticate: Digest realm="é", nonce="1"\r\n\r\n'],
  ["an empty reason", "RTSP/1.0 461 \r\nCSeq: 3\r\n\r\n"],
  ["a packet between two answers", `${OK}$\x00\x00\x03\n\r\x00${OK}`],
])("%s passes whole, in pieces of any size", (_, text) => {
  for (const size of [1, 7, 1000]) {
    const pieces = Array.from({ length: Math.ceil(text.length / size) }, (_part, i) =>
      bytes(text.slice(i * size, (i + 1) * size)),
    );
    expect(read(pieces)).toMatchObject({ passed: bytes(text), refusal: undefined });
  }
});

test.each([
  ["a redirect", "RTSP/1.0 302 Found\r\nCSeq: 1\r\n\r\n"],
  ["a status that wraps around", "RTSP/1.0 4294967598 OK\r\n\r\n"],
  ["a negative status", "RTSP/1.0 -4294966994 OK\r\n\r\n"],
  ["another version", "RTSP/\xa0x 302 Found\r\n\r\n"],
  ["a vertical tab", "RTSP/\x0bx 302 Found\r\n\r\n"],
  ["a form feed", "RTSP/1\x0cx 302 Found\r\n\r\n"],
  ["two blanks", "RTSP/1.0  302 Found\r\n\r\n"],
  ["lower case", "rtsp/1.0 200 OK\r\n\r\n"],
  ["a request", "REDIRECT rtsp://x/ RTSP/1.0\r\nCSeq: 1\r\n\r\n"],
  ["a bare line feed", "RTSP/1.0 200 OK\nCSeq: 1\r\n\r\n"],
  ["a NUL", "RTSP/1.0 200 OK\r\n\0: 1\r\n\r\n"],
  ["a folded header", "RTSP/1.0 200 OK\r\n Content-Length: 5\r\n\r\n"],
  ["a packet among headers", "RTSP/1.0 200 OK\r\n$\0\0\x02: \r\n\r\n"],
  ["two lengths", "RTSP/1.0 200 OK\r\nContent-Length: 1\r\nContent-Length: 0\r\n\r\nx"],
  ["a signed length", "RTSP/1.0 200 OK\r\nContent-Length: +1\r\n\r\nx"],
  ["a length in hexadecimal", "RTSP/1.0 200 OK\r\nContent-Length: 0x1\r\n\r\nx"],
  ["a body that is too long", "RTSP/1.0 200 OK\r\nContent-Length: 999999\r\n\r\n"],
  ["a long line", `RTSP/1.0 200 OK\r\nA: ${"x".repeat(3000)}\r\n\r\n`],
  ["a redirect behind many headers", `RTSP/1.0 302 Found\r\n${"A: x\r\n".repeat(2000)}\r\n`],
  ["many headers", `RTSP/1.0 200 OK\r\n${"A: x\r\n".repeat(2000)}\r\n`],
  ["a line without an end", "x".repeat(10_000)],
])("%s is refused, and no byte of it passes", (_, text) => {
  const { passed, refusal } = read([bytes(OK), bytes(text)]);
  expect(refusal).toBeDefined();
  expect(passed.toString("latin1")).toBe(OK);
});

test("no bytes pass that ffmpeg reads as a redirect", () => {
  /** Mostly the first one, so that most messages have one or two mistakes. */
  const mostly = (first: string, ...others: string[]): fc.Arbitrary<string> =>
    fc.oneof({ weight: 24, arbitrary: fc.constant(first) }, { weight: 1, arbitrary: fc.constantFrom(...others) });
  const status = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom("200", "404", "461") },
    { weight: 1, arbitrary: fc.constantFrom("302", "+302", "0302", "4294967598", "-4294966994", "8589934894") },
  );
  const blank = mostly(" ", "  ", "\t", "\r", "\xa0", "\x0b", "\x0c", "\0", "");
  const end = mostly("\r\n", "\n", "\r", "\r\r\n", "\0\r\n");
  const version = mostly("RTSP/1.0", "RTSP/1.1", "RTSP/", "RTSP/x\x0b", "rtsp/1.0", "HTTP/1.1");
  const header = mostly(
    "CSeq: 1",
    "Content-Length: 0",
    "Content-Length: 21",
    "Content-Length: -1",
    "$\0\0\x02",
    " x",
    "",
  );
  const message = fc
    .tuple(version, blank, status, blank, end, fc.array(fc.tuple(header, end), { maxLength: 4 }), end)
    .map(([a, b, c, d, e, headers, f]) => `${a}${b}${c}${d}OK${e}${headers.flat().join("")}${f}`);
  const byte = fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code));
  const noise = fc.string({ unit: byte, maxLength: 12 });
  const packet = noise.map((text) => `$\0\0${String.fromCharCode(text.length)}${text}`);
  let accepted = 0;
  fc.assert(
    fc.property(
      fc.array(fc.oneof({ weight: 9, arbitrary: message }, { weight: 1, arbitrary: noise }, packet), { maxLength: 5 }),
      fc.integer({ min: 1, max: 64 }),
      (parts, size) => {
        const whole = bytes(parts.join(""));
        const pieces = Array.from({ length: Math.ceil(whole.length / size) }, (_, i) =>
          whole.subarray(i * size, (i + 1) * size),
        );
        const { passed, lines } = read(pieces);
        accepted += lines.length;
        const redirects = statusesForFfmpeg(passed).filter((number) => number >= 300 && number < 400);
        expect(redirects).toEqual([]);
        expect(statusesForFfmpeg(passed).length).toBeLessThanOrEqual(lines.length);
      },
    ),
    { seed: 20261130, numRuns: 1500 },
  );
  expect(accepted).toBeGreaterThan(300);
});
