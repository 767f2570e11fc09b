// Where private addresses are forbidden, the proxy variables of the server's environment lead ffmpeg past nothing: real ffmpeg, real sockets.
import { createServer, type RequestListener } from "node:http";
import { createServer as createTcpServer, type AddressInfo, type Server } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { startAddressGuard, type AddressGuard } from "../../src/server/access/address-guard.ts";
import { ffmpeg, makeFolder, testPicture } from "../support/ffmpeg.ts";
import { collect, type Outcome } from "../support/source.ts";

/** 127.0.0.1 stands for the public internet, 127.0.0.2 for what must not be reached. */
const PUBLIC = "127.0.0.1";
const PRIVATE = "127.0.0.2";

let folder: Awaited<ReturnType<typeof makeFolder>>;
let video: string;
let camera: Server;
let forbidden: Server;
let guard: AddressGuard;
/** How often the forbidden listener, and the camera, were connected to. */
let [reached, asked] = [0, 0];
let answerOfCamera: RequestListener;

const listen = (server: Server, host: string): Promise<void> =>
  new Promise((resolve) => server.listen(0, host, () => resolve()));
const addressOf = (server: Server): string => {
  const { address, port } = server.address() as AddressInfo;
  return `${address}:${port}`;
};

beforeAll(async () => {
  folder = await makeFolder();
  video = join(folder.path, "seen.ts");
  await ffmpeg(testPicture("64x48", 10, 1), "-c:v libx264 -preset ultrafast -f mpegts", video);
  forbidden = createTcpServer((socket) => {
    reached += 1;
    socket.on("error", () => socket.destroy());
    socket.destroy();
  });
  camera = createServer((request, answer) => {
    asked += 1;
    answerOfCamera(request, answer);
  });
  await listen(forbidden, PRIVATE);
  await listen(camera, PUBLIC);
  guard = (await startAddressGuard(
    { forbidPrivateAddresses: true },
    { trusted: () => [], isAllowed: (address) => address === PUBLIC },
  ))!;
});
afterAll(async () => {
  guard?.close();
  camera?.close();
  forbidden?.close();
  await folder.remove();
});
afterEach(() => void vi.unstubAllEnvs());

async function play(answer: RequestListener, addresses?: AddressGuard): Promise<Outcome> {
  [reached, asked] = [0, 0];
  answerOfCamera = answer;
  const url = `http://${addressOf(camera)}/cam`;
  return collect({ id: "a", url, loop: false, transport: "tcp" }, { addresses });
}

const redirectTo =
  (target: string): RequestListener =>
  (_, answer) =>
    void answer.writeHead(302, { location: target, connection: "close" }).end();
const playlist =
  (...lines: string[]): RequestListener =>
  (request, answer) => {
    answer.setHeader("connection", "close");
    if (request.url !== "/cam") return void answer.writeHead(404).end();
    answer.setHeader("content-type", "application/vnd.apple.mpegurl");
    answer.end(["#EXTM3U", "#EXT-X-TARGETDURATION:2", ...lines, "#EXT-X-ENDLIST", ""].join("\n"));
  };
const variants =
  (target: string): RequestListener =>
  (_, answer) =>
    void answer
      .setHeader("content-type", "application/vnd.apple.mpegurl")
      .setHeader("connection", "close")
      .end(`#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000\n${target}\n`);

/** What a camera answers that leads to a target. */
const WAYS: Readonly<Record<string, (target: string) => RequestListener>> = {
  "a redirect": redirectTo,
  "a playlist's segment": (target) => playlist("#EXTINF:2,", target),
  "a playlist's key": (target) => playlist(`#EXT-X-KEY:METHOD=AES-128,URI="${target}"`, "#EXTINF:2,", "a.ts"),
  "a playlist of playlists": variants,
};

const ENVIRONMENTS: Readonly<Record<string, (proxy: string) => Record<string, string>>> = {
  "no_proxy with names": () => both("no_proxy", `localhost,${PUBLIC},${PRIVATE}`),
  "no_proxy with a star": () => both("no_proxy", "*"),
  "proxies of its own": (proxy) => ({
    ...both("http_proxy", proxy),
    ...both("https_proxy", proxy),
    ...both("all_proxy", proxy),
  }),
};
const both = (name: string, value: string): Record<string, string> => ({ [name]: value, [name.toUpperCase()]: value });

const CASES = Object.keys(ENVIRONMENTS).flatMap((environment) =>
  Object.keys(WAYS).map((way) => [environment, way] as const),
);

test.each(CASES)("with %s in the environment, %s leads nowhere", async (environment, way) => {
  const target = `http://${addressOf(forbidden)}/x.ts`;
  for (const [name, value] of Object.entries(ENVIRONMENTS[environment]!(`http://${addressOf(forbidden)}`)))
    vi.stubEnv(name, value);
  const { error, frames } = await play(WAYS[way]!(target), guard);
  expect([reached, frames.length, error?.code]).toEqual([0, 0, expect.stringMatching(/^STREAM_/)]);
  // The camera itself was asked, by way of the proxy.
  expect(asked).toBeGreaterThan(0);
});

test.each(Object.keys(WAYS))("without the rule %s leads there, so the tests would notice", async (way) => {
  await play(WAYS[way]!(`http://${addressOf(forbidden)}/x.ts`));
  expect(reached).toBeGreaterThan(0);
});

test("with proxies of its own in the environment, a camera is asked directly", async () => {
  for (const [name, value] of Object.entries(both("http_proxy", `http://${addressOf(forbidden)}`)))
    vi.stubEnv(name, value);
  await play((_, answer) => void answer.writeHead(404).end());
  expect([reached, asked > 0]).toEqual([0, true]);
});

test("a playlist is refused where addresses are checked, and the sentence says what to do", async () => {
  const { error } = await play(playlist("#EXTINF:2,", "a.ts"), guard);
  expect(error).toMatchObject({ code: "STREAM_NOT_VIDEO", message: expect.stringMatching(/is a playlist.*\(hls\)/) });
  expect(error!.hint).toContain("RTSP");
});

describe("a camera that leads to what is no address of HTTP", () => {
  const TARGETS: Readonly<Record<string, () => string>> = {
    "file:": () => `file://${video}`,
    "tcp:": () => `tcp://${addressOf(forbidden)}`,
    "tls:": () => `tls://${addressOf(forbidden)}`,
    "crypto:": () => `crypto:tcp://${addressOf(forbidden)}`,
    "concat:": () => `concat:${video}|tcp://${addressOf(forbidden)}`,
  };
  const cases = Object.keys(TARGETS).flatMap((scheme) => Object.keys(WAYS).map((way) => [scheme, way] as const));

  test.each(cases)("opens nothing by %s in %s", async (scheme, way) => {
    vi.stubEnv("no_proxy", "*");
    const { error, frames } = await play(WAYS[way]!(TARGETS[scheme]!()), guard);
    expect([reached, frames.length, error?.code]).toEqual([0, 0, expect.stringMatching(/^STREAM_/)]);
    expect(asked).toBeGreaterThan(0);
  });

  test.each(Object.keys(WAYS))("opens no file in %s where addresses are not checked either", async (way) => {
    const { error, frames } = await play(WAYS[way]!(TARGETS["file:"]!()));
    expect([frames.length, error?.code]).toEqual([0, expect.stringMatching(/^STREAM_/)]);
    expect(asked).toBeGreaterThan(0);
  });
});
