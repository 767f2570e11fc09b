// Cameras over HTTP that do not quite keep to the form: real ffmpeg through a real server plays them all.
import { readFile } from "node:fs/promises";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ffmpeg, makeFolder, testPicture } from "../support/ffmpeg.ts";
import { startMultibox, type Multibox } from "../support/multibox.ts";

const MULTIPART = "multipart/x-mixed-replace; boundary=frame";

/** How a camera sends its stream: what stands before and after each image. */
interface Form {
  readonly before: (length: number) => string;
  readonly after?: string;
}
const part = (type: string, length: (of: number) => number = (of) => of): Form => ({
  before: (of) => `--frame\r\n${type}Content-Length: ${length(of)}\r\n\r\n`,
});
const FORMS: Readonly<Record<string, Form>> = {
  usual: part("Content-Type: image/jpeg\r\n"),
  jpg: part("Content-Type: image/jpg\r\n"),
  size: part("Content-Type: image/jpeg;size=15000\r\n"),
  none: part(""),
  long: part("Content-Type: image/jpeg\r\n", (of) => of + 40),
  nofirst: { before: (of) => `Content-Type: image/jpeg\r\nContent-Length: ${of}\r\n\r\n`, after: "\r\n--frame\r\n" },
};

/** Of segments whose names have no extension. */
const PLAYLIST = Buffer.from(
  `#EXTM3U\n#EXT-X-TARGETDURATION:1\n${[1, 2].map((n) => `#EXTINF:1,\n/segment?n=${n}\n`).join("")}#EXT-X-ENDLIST\n`,
);

let server: Server;
let multibox: Multibox;
let jpeg: Buffer;
/** A segment of HLS. */
let segment: Buffer;
let snapshots = 0;
const open = new Set<Socket>();

function answer(socket: Socket, path: string): void {
  if (path === "/snapshot") {
    snapshots += 1;
    return sendOnce(socket, "image/jpeg", jpeg);
  }
  if (path === "/hls") return sendOnce(socket, "application/vnd.apple.mpegurl", PLAYLIST);
  if (path.startsWith("/segment")) return sendOnce(socket, "video/mp2t", segment);
  const form = FORMS[path.slice(1)]!;
  socket.write(`HTTP/1.1 200 OK\r\nContent-Type: ${MULTIPART}\r\nConnection: close\r\n\r\n`);
  const send = (): void =>
    void socket.write(Buffer.concat([Buffer.from(form.before(jpeg.length)), jpeg, Buffer.from(form.after ?? "\r\n")]));
  send();
  const timer = setInterval(send, 100);
  socket.once("close", () => clearInterval(timer));
}

function sendOnce(socket: Socket, type: string, body: Buffer): void {
  socket.write(
    `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`,
  );
  socket.end(body);
}

beforeAll(async () => {
  const folder = await makeFolder();
  try {
    const path = join(folder.path, "segment.ts");
    await ffmpeg(testPicture("64x48", 10, 1), "-c:v libx264 -preset ultrafast -f mpegts", path);
    segment = await readFile(path);
  } finally {
    await folder.remove();
  }
  const noise = { type: "gaussian", mean: 128, sigma: 30 } as const;
  jpeg = await sharp({ create: { width: 160, height: 120, channels: 3, background: "grey", noise } })
    .jpeg()
    .toBuffer();
  server = createServer((socket) => {
    open.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => open.delete(socket));
    socket.once("data", (request) => answer(socket, request.toString("latin1").split(" ")[1]!));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  multibox = await startMultibox(["--no-demo", "--stall-seconds", "60"]);
});
afterAll(async () => {
  await multibox?.stop();
  for (const socket of open) socket.destroy();
  server?.close();
});

test.each([...Object.keys(FORMS), "snapshot", "hls"])("a camera of the form %s is played", async (id) => {
  snapshots = 0;
  const { port } = server.address() as AddressInfo;
  expect((await multibox.add({ id, url: `http://127.0.0.1:${port}/${id}`, maxFps: 5 })).status).toBe(201);
  const { counts } = await multibox.streamOnce(id, ({ counts: { decoded } }) => decoded > 4);
  expect(counts.decoded).toBeGreaterThan(4);
  // Each of its images was asked for by itself.
  expect(snapshots > 4).toBe(id === "snapshot");
  await multibox.ask(`/v1/streams/${id}`, { method: "DELETE" });
});
