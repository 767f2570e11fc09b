// A camera at an allowed address that tries to lead ffmpeg elsewhere: real ffmpeg, a real tunnel, and a listener that counts connections.
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startAddressGuard, type AddressGuard } from "../../src/server/access/address-guard.ts";
import { collect } from "../support/source.ts";
import { fc } from "../support/fast-check.ts";

/** An answer to a request: `sequence` is its CSeq line, `target` what must not be reached. */
type Answer = (sequence: string, target: string) => string;

let hits = 0;
let target: { readonly server: Server; readonly url: string };
let guard: AddressGuard;

async function listen(onConnection: (socket: Socket) => void, host: string): Promise<Server> {
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    onConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return server;
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

beforeAll(async () => {
  const server = await listen((socket) => {
    hits += 1;
    socket.destroy();
  }, "127.0.0.2");
  target = { server, url: `rtsp://127.0.0.2:${portOf(server)}/x` };
  const allowed = { trusted: () => [], isAllowed: (address: string) => address === "127.0.0.1" };
  guard = (await startAddressGuard({ forbidPrivateAddresses: true }, allowed))!;
});
afterAll(() => {
  guard?.close();
  target?.server.close();
});

/** Connections to the target, and the error of a stream whose camera answers its first requests like this and then hangs up. */
async function play(answers: readonly Answer[], addresses: AddressGuard | undefined): Promise<[number, string?]> {
  const before = hits;
  const camera = await listen((socket) => {
    let asked = 0;
    socket.on("data", (request) => {
      const sequence = /CSeq: \d+/i.exec(request.toString("latin1"))?.[0] ?? "CSeq: 1";
      const answer = answers[asked++];
      if (answer) socket.write(answer(sequence, target.url), "latin1");
      if (asked >= answers.length) socket.end();
    });
  }, "127.0.0.1");
  try {
    const url = `rtsp://127.0.0.1:${portOf(camera)}/x`;
    const { error } = await collect({ id: "a", url, loop: false, transport: "tcp" }, { addresses });
    return [hits - before, error?.code];
  } finally {
    camera.close();
  }
}

const ok: Answer = (sequence) => `RTSP/1.0 200 OK\r\n${sequence}\r\nPublic: DESCRIBE, SETUP, PLAY\r\n\r\n`;
const to =
  (first: string, more = ""): Answer =>
  (sequence, url) =>
    `${first}\r\n${more}${sequence}\r\nLocation: ${url}\r\n\r\n`;
const sdp: Answer = (sequence, url) => {
  const body = `v=0\r\no=- 0 0 IN IP4 127.0.0.2\r\nc=IN IP4 127.0.0.2\r\na=control:${url}\r\nm=video 5000 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:${url}/1\r\n`;
  return `RTSP/1.0 200 OK\r\n${sequence}\r\nContent-Base: ${url}/\r\nContent-Type: application/sdp\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
};

test.each<[name: string, answers: Answer[]]>([
  ["a plain 302", [to("RTSP/1.0 302 Found")]],
  ["a 302 to DESCRIBE", [ok, to("RTSP/1.0 302 Found")]],
  ["a status above 32 bits", [to("RTSP/1.0 4294967598 Found")]],
  ["a status below 32 bits", [to("RTSP/1.0 -4294966994 Found")]],
  ["a version of other bytes", [to("RTSP/\xa0x 302 Found")]],
  ["a version with a vertical tab", [to("RTSP/\x0bx 302 Found")]],
  ["a version with a form feed", [to("RTSP/1\x0cx 302 Found")]],
  ["a 302 in front of more than 8 KB of headers", [to("RTSP/1.0 302 Found", "X-A: x\r\n".repeat(1200))]],
])("%s, which ffmpeg may follow, does not lead it anywhere", async (_, answers) => {
  expect(await play(answers, guard)).toEqual([0, "ADDRESS_FORBIDDEN"]);
  // Without the guard ffmpeg follows it, so the test would notice.
  const [followed] = await play(answers, undefined);
  expect(followed).toBeGreaterThan(0);
});

test("a 302 to SETUP does not lead it anywhere", async () => {
  expect(await play([ok, sdp, to("RTSP/1.0 302 Found")], guard)).toEqual([0, "ADDRESS_FORBIDDEN"]);
});

test("a session description that names another host does not lead ffmpeg there", async () => {
  const setUp: Answer = (sequence) =>
    `RTSP/1.0 200 OK\r\n${sequence}\r\nSession: 1\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1;source=127.0.0.2\r\n\r\n`;
  expect((await play([ok, sdp, setUp, ok], guard))[0]).toBe(0);
});

test("no answer that is made of such parts leads ffmpeg anywhere", async () => {
  const version = fc.constantFrom("RTSP/1.0", "RTSP/1.0", "RTSP/", "RTSP/\xa0", "RTSP/2.0", "RTSP/1.0\x0b", "RTSP/x\r");
  const blank = fc.constantFrom(" ", "  ", "\t", " \r", " +", " -", " 0", " \x0c", "\xa0");
  const status = fc.constantFrom("302", "301", "4294967598", "4294966994", "303", "200", "0302", "302x", "399");
  const end = fc.constantFrom("\r\n", "\n", "\r\r\n", "\0\r\n");
  const noise = fc.constantFrom(
    "",
    "",
    "\r\n",
    "$\0\0\x02\r\n",
    "x\r\n",
    "Content-Length: 4\r\n",
    "OPTIONS * RTSP/1.0\r\nCSeq: 9\r\n\r\n",
  );
  const answer = fc.tuple(noise, version, blank, status, end, noise).map<Answer>(
    ([before, a, b, c, d, after]) =>
      (sequence, url) =>
        `${before}${a}${b}${c} OK${d}${after}${sequence}${d}Location: ${url}${d}${d}`,
  );
  const cases = fc.sample(fc.tuple(fc.boolean(), answer), { seed: 20261130, numRuns: 16 });
  const before = hits;
  for (let i = 0; i < cases.length; i += 4)
    await Promise.all(cases.slice(i, i + 4).map(([late, one]) => play(late ? [ok, one] : [one], guard)));
  expect(hits).toBe(before);
});
