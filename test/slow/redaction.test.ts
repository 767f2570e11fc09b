// No password of a camera leaves the server, whatever signs it holds and however its URL was misspelt.
import { writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { MultiboxError } from "../../src/errors.ts";
import { loadConfig } from "../../src/load-config.ts";
import { makeFolder } from "../support/ffmpeg.ts";
import { runMultibox, startMultibox, type Multibox } from "../support/multibox.ts";

/** Not even a part of a password may be seen; all of them are made of these. */
const TRACE = /Zq\d/;
const RAW = ["Zq1@Zq2", "Zq1:Zq2", "Zq1%Zq2", "Zq1/Zq2", "Zq1.Zq2", "Zq1#Zq2", "Zq1@Zq2:Zq3%Zq4/Zq5.Zq6#Zq7"];
const ALL = RAW.at(-1)!;
const PASSWORDS = [...RAW, encodeURIComponent(ALL)];
const named = PASSWORDS.map((password, i) => [`cam${i}`, password] as const);

let folder: Awaited<ReturnType<typeof makeFolder>>;
let multibox: Multibox;

beforeAll(async () => {
  folder = await makeFolder();
  const port = await closedPort();
  const file = join(folder.path, "multibox.yaml");
  const streams = named.map(([id, password]) => ({ id, url: `rtsp://Zq0:${password}@127.0.0.1:${port}/ch` }));
  await writeFile(file, stringify({ logLevel: "debug", stallSeconds: 60, streams }));
  multibox = await startMultibox(["--config", file]);
});
afterAll(async () => {
  await multibox?.stop();
  await folder.remove();
});

describe("no trace of a camera's password is", () => {
  it("in the announcement, in streams whose real ffmpeg failed, in their events, figures and logs", async () => {
    const client = await multibox.connect("*");
    for (const [id] of named) {
      const { error, url } = await multibox.streamOnce(id, (stream) => stream.error?.code === "STREAM_UNREACHABLE");
      expect([id, error!.code, url]).toEqual([
        id,
        "STREAM_UNREACHABLE",
        expect.stringMatching(/^rtsp:\/\/127[\d.:]+\/ch$/),
      ]);
    }
    await client.until((message) => message.type === "stream" && message.state !== "connecting");
    const metrics = await (await multibox.ask("/metrics")).text();
    expect(metrics).toContain('code="STREAM_UNREACHABLE"');
    const texts = [multibox.stdout, multibox.stderr, metrics, JSON.stringify(client.messages)];
    texts.push(JSON.stringify(await multibox.streams()), await (await multibox.ask("/v1/streams/cam0")).text());
    for (const text of texts) expect(text).not.toMatch(TRACE);
    expect(multibox.stderr).toContain('"level":20');
    client.socket.close();
  });

  it("in what is answered to a bad stream, change or message, nor in the log of it", async () => {
    const client = await multibox.connect();
    const asked: Promise<unknown>[] = [];
    for (const password of PASSWORDS) {
      const info = `Zq0:${password}@192.0.2.7/ch`;
      const urls = [`gopher://${info}`, ` rtsp://${info}`, `rtsp:/${info}`, info, `concat:rtsp://${info}`];
      urls.push(`subfile,,:rtsp://${info}`, `rtsp://${info}${"x".repeat(3000)}`, `a://b/rtsp://${info}`);
      for (const url of urls) {
        for (const [method, path] of [
          ["POST", ""],
          ["PATCH", "/cam0"],
        ] as const) {
          asked.push(refused(method, path, method === "POST" ? { id: "new", url } : { url }));
        }
      }
      const url = `rtsp://${info}`;
      const bodies = [[{ id: "a", url }], { id: "a", url: { url } }, { id: url, url }, { id: "a", url, [url]: 1 }];
      for (const body of [
        ...bodies,
        { id: "a", url, loop: url },
        { id: "a", url, limits: { [url]: { minScore: 7 } } },
      ]) {
        asked.push(refused("POST", "", body));
      }
      asked.push(refused("POST", "", `{"url": "${url}"`));
      for (const streams of [[url], url, [{ url }]]) asked.push(client.ask({ type: "subscribe", streams }));
    }
    await Promise.all(asked);
    expect(client.messages.filter((message) => message.type === "result" && !message.ok)).toHaveLength(
      3 * PASSWORDS.length,
    );
    expect(JSON.stringify(client.messages)).not.toMatch(TRACE);
    expect(multibox.stdout + multibox.stderr).not.toMatch(TRACE);
    client.socket.close();
  });

  it("in what is said of a file of settings, or of an argument, that is wrong", async () => {
    const url = `rtsp://Zq0:${ALL}@192.0.2.7/ch`;
    const files = [
      { streams: [{ id: "a/b", url }] },
      { streams: [{ id: "a", url, loop: url }] },
      { streams: [{ id: "a", url, [url]: 1 }] },
      { streams: url },
      { [url]: 1 },
      `streams:\n  - id: a\n    url: "rtsp://Zq0:Zq1"Zq2@h"`,
      `streams: [{id: a, url: *Zq1@h}]`,
      `streams: [{id: a, url: ${url}`,
      `token: |${ALL}`,
    ];
    const file = join(folder.path, "wrong.yaml");
    const said: string[] = [];
    for (const content of files) {
      await writeFile(file, typeof content === "string" ? content : stringify(content));
      const error = (await loadConfig({ file }).catch((thrown: unknown) => thrown)) as MultiboxError;
      expect(error).toBeInstanceOf(MultiboxError);
      said.push(`${error}`);
    }
    const { code, stdout, stderr } = await runMultibox(["serve", "--config", file, "--stream", url]);
    expect(code).toBe(2);
    said.push(stdout + stderr);
    for (const text of said) expect(text).not.toMatch(TRACE);
  });
});

async function refused(method: string, path: string, body: unknown): Promise<void> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const headers = { "content-type": "application/json" };
  const answer = await multibox.ask(`/v1/streams${path}`, { method, headers, body: text });
  const said = await answer.text();
  expect([answer.status, text]).toEqual([expect.toSatisfy((status: number) => status >= 400 && status < 500), text]);
  expect(said).not.toMatch(TRACE);
}

/** A port of this machine that nobody listens on. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
