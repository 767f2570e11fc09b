// A real server with real streams is sent 10,000 requests and 10,000 WebSocket messages that are wrong: it refuses, and lives.
import { Agent, request, type IncomingMessage } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import { demoClip } from "../../../src/demo-clip.ts";
import { makeFolder } from "../../support/ffmpeg.ts";
import { testCacheDir } from "../../support/model.ts";
import { startMultibox, type Multibox } from "../../support/multibox.ts";
import { fuzzMessages } from "./messages.ts";
import { fuzzRequests, type ApiDocument, type FuzzRequest } from "./requests.ts";
import { CAMERA, SENT } from "./secrets.ts";

const COUNT = 10_000;
/** Fewer than a connection may send at once, so that each is read. */
const MESSAGES_OF_ONE = 90;
const SEED = Number(process.env["FUZZ_SEED"] ?? 20_261_124);
/** 503 that say what is so: no frame yet, more than there is room for. */
const BUSY = ["STREAM_NO_FRAME", "SERVER_BUSY", "TOO_MANY_CONNECTIONS"];

console.log(`FUZZ_SEED=${SEED}`);

let multibox: Multibox;
let folder: Awaited<ReturnType<typeof makeFolder>>;
const agent = new Agent({ keepAlive: true, maxSockets: 16 });

beforeAll(async () => {
  folder = await makeFolder();
  const camera = `cam=rtsp://${CAMERA.user}:${CAMERA.password}@127.0.0.1:9/x`;
  const demo = `demo=${await demoClip(testCacheDir())}`;
  const dataDir = join(folder.path, "data");
  multibox = await startMultibox(["--data-dir", dataDir, "--log-level", "debug", "--stream", camera, "--stream", demo]);
});
afterAll(async () => {
  agent.destroy();
  await multibox?.stop();
  await folder?.remove();
});

test(`${COUNT} malformed requests are refused with a problem each, and none fails the server`, async () => {
  const document = (await (await multibox.ask("/openapi.json")).json()) as ApiDocument;
  const requests = fuzzRequests(document, COUNT, SEED);
  const before = await resources();
  const statuses = new Map<number, number>();
  const wrong: unknown[] = [];
  let at = 0;
  const worker = async (): Promise<void> => {
    for (let one = requests[at++]; one && wrong.length < 10; one = requests[at++]) {
      const answer = await send(one).catch((error: unknown) => ({ status: 0, type: "", text: String(error) }));
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      const fault = faultOf(answer);
      if (fault)
        wrong.push({ fault, ...answer, text: answer.text.slice(0, 300), one: JSON.stringify(one).slice(0, 600) });
    }
  };
  await Promise.all(Array.from({ length: 16 }, worker));
  console.log("statuses", Object.fromEntries(statuses));
  expect(wrong).toEqual([]);
  await settled(before);
});

test(`${COUNT} malformed messages end at most their own connection`, async () => {
  const messages = fuzzMessages(COUNT, SEED);
  const before = await resources();
  let at = 0;
  let connections = 0;
  const said: string[] = [];
  const worker = async (): Promise<void> => {
    while (at < messages.length) {
      const socket = new WebSocket(multibox.ready.detections);
      connections += 1;
      socket.on(
        "message",
        (data, isBinary) =>
          said.length < 20_000 && !isBinary && said.push((data as Buffer).toString("utf8").slice(0, 2000)),
      );
      socket.on("error", () => undefined);
      await new Promise<void>((resolve) => socket.once("open", resolve).once("close", () => resolve()));
      for (let i = 0; i < MESSAGES_OF_ONE && at < messages.length && socket.readyState === WebSocket.OPEN; i++) {
        messages[at++]!(socket);
        if (i % 10 === 9) await sleep(1);
      }
      socket.terminate();
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  console.log(`${connections} connections, ${said.length} answers looked at`);
  expect(said.filter((text) => /"code":"INTERNAL"/.test(text) || hasSecret(withoutId(text))).slice(0, 5)).toEqual([]);
  // The streams may be gone, as was asked for; the server works.
  const client = await multibox.connect();
  client.socket.terminate();
  const picture = await sharp({ create: { width: 32, height: 32, channels: 3, background: "red" } })
    .jpeg()
    .toBuffer();
  const init = { method: "POST", headers: { "content-type": "image/jpeg" }, body: new Uint8Array(picture) };
  expect((await multibox.ask("/v1/detect", init)).status).toBe(200);
  await settled(before);
});

test("nothing that is secret has been logged, nothing has failed, and the books close", async () => {
  const lines = multibox.stderr.split("\n");
  expect(lines.length).toBeGreaterThan(COUNT / 2);
  expect(lines.filter(hasSecret).slice(0, 5)).toEqual([]);
  // Level 50 is an error; what is there says what failed.
  expect(lines.filter((line) => /"level":(50|60)/.test(line)).slice(0, 5)).toEqual([]);
  const demo = (await multibox.streams()).find(({ id }) => id === "demo");
  expect(demo?.state ?? "removed").toMatch(/live|connecting|paused|removed/);
  const { code } = await multibox.stop();
  expect(code).toBe(0);
});

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

function faultOf({ status, type, text }: Answer): string | undefined {
  if (hasSecret(text)) return "a secret";
  if (status === 0) return "no answer";
  if (status >= 500 && !(status === 503 && BUSY.some((code) => text.includes(`"${code}"`))))
    return text === "" && status === 503 ? undefined : "a failure";
  if (status >= 400 && text !== "" && type !== "application/problem+json") return "no problem";
  return undefined;
}

const hasSecret = (text: string): boolean =>
  [SENT, "hunter22", "p@ss:w", encodeURIComponent(CAMERA.password)].some((secret) => text.includes(secret));

/** A request's id is the client's own, and comes back as it was. */
function withoutId(text: string): string {
  return text.replace(/^\{"id":("(?:[^"\\]|\\.)*"|[^,]*),/, "{");
}

function send({ method, path, headers, body }: FuzzRequest): Promise<Answer> {
  const { port } = multibox.ready;
  // What Node itself would not send is written as it is, in bytes.
  const bytes = Buffer.from(path)
    .toString("latin1")
    .replaceAll(/[^\u0021-\u007e]/g, (byte) => `%${byte.charCodeAt(0).toString(16).padStart(2, "0")}`);
  return new Promise((resolve, reject) => {
    const sent = request({
      agent,
      port,
      method,
      path: bytes,
      headers: {
        ...headers,
        ...(headers["upgrade"] !== undefined && { connection: "upgrade" }),
        "content-length": Buffer.byteLength(body ?? ""),
      },
    });
    // A WebSocket, where it was asked for rightly.
    sent.on("upgrade", (response, socket) => {
      socket.destroy();
      resolve({ status: response.statusCode ?? 0, type: "", text: "" });
    });
    // The live view of a stream without a frame says nothing until there is one.
    if (/\/live\.mjpeg/.test(path))
      sent.setTimeout(2000, () => {
        resolve({ status: 200, type: "", text: "" });
        sent.destroy();
      });
    else sent.setTimeout(20_000, () => sent.destroy(new Error("no answer in 20 s")));
    // A body that is refused before it is read ends its connection, sometimes before the answer is.
    sent.on("error", (error: NodeJS.ErrnoException) =>
      error.code === "EPIPE" || error.code === "ECONNRESET"
        ? resolve({ status: 413, type: "", text: "" })
        : reject(error),
    );
    sent.on("response", (response) => void read(response).then(resolve, reject));
    sent.end(body);
  });
}

function read(response: IncomingMessage): Promise<Answer> {
  const type = response.headers["content-type"] ?? "";
  const status = response.statusCode ?? 0;
  return new Promise((resolve) => {
    let text = "";
    const done = (): void => resolve({ status, type, text });
    response.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      // A live view does not end by itself.
      if (type.startsWith("multipart/")) response.destroy();
    });
    response.on("end", done).on("close", done).on("error", done);
  });
}

interface Resources {
  readonly memory: number;
  readonly handles: number;
}

async function resources(): Promise<Resources> {
  const text = await (await multibox.ask("/metrics")).text();
  const figure = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1]);
  return {
    memory: figure("process_resident_memory_bytes") / 1_048_576,
    handles: figure("nodejs_active_handles_total"),
  };
}

/** What was open is closed, and memory is about where it was: a leak of 20 KB a request would be 200 MiB. */
async function settled(before: Resources): Promise<void> {
  agent.destroy();
  const isSettled = (now: Resources): boolean => now.handles <= before.handles + 10 && now.memory < before.memory + 150;
  let now = await resources();
  for (let i = 0; i < 60 && !isSettled(now); i++) {
    await sleep(500);
    now = await resources();
  }
  console.log("before", before, "after", now);
  expect([now, isSettled(now)]).toEqual([now, true]);
}
