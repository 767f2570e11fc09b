// No secret in the query or path of a camera's URL leaves the program: a real server, real ffmpegs, and everything that they print or answer.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { makeFolder } from "../support/ffmpeg.ts";
import { writeFile } from "node:fs/promises";
import { runMultibox, startMultibox, type Multibox } from "../support/multibox.ts";

/** All secrets are made of these. */
const TRACE = /Zq\d/;
const FORMS = [
  "video.cgi?user=admin&password=Zq1hunter&channel=1",
  "user=admin&password=Zq1hunter&channel=1&stream=0.sdp",
  "user=admin_password=Zq1hunter_channel=1_stream=0.sdp",
  "live?%70wd=Zq1%2FZq2/Zq3@Zq4",
  "list.m3u8?token=Zq1hunter",
  "loop?auth=Zq1hunter",
];

let folder: Awaited<ReturnType<typeof makeFolder>>;
let camera: Server;
let port = 0;
let multibox: Multibox;
const asked: string[] = [];

beforeAll(async () => {
  folder = await makeFolder();
  camera = createServer((request, response) => {
    asked.push(request.url!);
    const { pathname } = new URL(request.url!, "http://x");
    if (pathname === "/list.m3u8")
      return void response.end("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\na.ts?token=Zq5\n#EXT-X-ENDLIST\n");
    if (pathname === "/loop") return void response.writeHead(302, { location: "/gone?signature=Zq6" }).end();
    response.writeHead(pathname === "/video.cgi" ? 403 : 404).end();
  });
  await new Promise<void>((resolve) => camera.listen(0, "127.0.0.1", resolve));
  port = (camera.address() as AddressInfo).port;
  const file = join(folder.path, "multibox.yaml");
  const streams = FORMS.flatMap((form, i) => [
    { id: `http${i}`, url: `http://127.0.0.1:${port}/${form}` },
    { id: `rtsp${i}`, url: `rtsp://127.0.0.1:${port}/${form}` },
  ]);
  await writeFile(file, stringify({ logLevel: "debug", streams }));
  multibox = await startMultibox(["--config", file]);
});
afterAll(async () => {
  await multibox?.stop();
  camera?.closeAllConnections();
  camera?.close();
  await folder?.remove();
});

const send = (path: string, method: string, body: unknown): Promise<Response> =>
  multibox.ask(path, { method, headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

describe("no trace of a secret in a query or path is", () => {
  it("in the banner, the log, what any route answers, or what a WebSocket client gets", async () => {
    const client = await multibox.connect("*");
    for (const { id } of multibox.ready.streams)
      await multibox.streamOnce(id, ({ error }) => error !== undefined && error.code !== "STREAM_STALLED");
    const { paths } = (await (await multibox.ask("/openapi.json")).json()) as { paths: Record<string, object> };
    const routes = Object.keys(paths).filter((path) => "get" in paths[path]! && !/live|socket|detections$/.test(path));
    const texts = [multibox.stdout, JSON.stringify(client.messages)];
    for (const route of routes) texts.push(await (await multibox.ask(route.replaceAll(/\{\w+\}/g, "http0"))).text());
    texts.push(await (await send("/v1/streams", "POST", { id: "x", url: `gopher://h/?password=Zq1` })).text());
    texts.push(await (await send("/v1/streams", "POST", { id: "x", uri: `http://h/?password=Zq1` })).text());
    texts.push(await (await send("/v1/streams/http0", "PATCH", { loop: "http://h/?password=Zq1" })).text());
    texts.push(await (await send("/v1/streams/http0", "PATCH", { [`http://h/?password=Zq1`]: 1 })).text());
    texts.push(await (await multibox.ask("/v1/streams/password=Zq1")).text(), multibox.stderr);
    for (const text of texts) expect(text).not.toMatch(TRACE);
    expect(multibox.stderr).toContain("password=***");
    expect(multibox.ready.streams.map(({ url }) => url)).toContain(
      `http://127.0.0.1:${port}/video.cgi?user=admin&password=***&channel=1`,
    );
    client.socket.close();
  });

  it("in what the other commands print", async () => {
    const url = `http://127.0.0.1:${port}/${FORMS[0]}`;
    for (const args of [
      ["detect", url, "--json"],
      ["annotate", url],
      ["serve", `--strem=${url}`],
      ["doctor", "--json", "--model", url],
    ]) {
      const { code, stdout, stderr } = await runMultibox(args, {}, folder.path);
      expect([args[0], code === 0]).toEqual([args[0], false]);
      expect(stdout + stderr).not.toMatch(TRACE);
    }
  });

  it("lost when a client sends back the URL that it has read", async () => {
    const id = "http0";
    const { url } = await multibox.streamOnce(id, () => true);
    const before = asked.length;
    expect((await send(`/v1/streams/${id}`, "PATCH", { url, maxFps: 3 })).status).toBe(200);
    expect((await send(`/v1/streams/${id}`, "PATCH", { maxFps: 4 })).status).toBe(200);
    await expect.poll(() => asked.slice(before), { timeout: 60_000 }).toContain(`/${FORMS[0]}`);
    expect(asked.join(" ")).not.toContain("***");
    const moved = await send(`/v1/streams/${id}`, "PATCH", { url: url.replace("video.cgi", "other.cgi") });
    expect([moved.status, ((await moved.json()) as { code: string }).code]).toEqual([400, "STREAM_BAD_URL"]);
    expect((await send("/v1/streams", "POST", { id: "copy", url })).status).toBe(400);
  });
});
