// Cameras over HTTP that do not quite keep to the form: real ffmpeg through a real server plays them all.
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
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

let server: Server;
let multibox: Multibox;
let jpeg: Buffer;
let snapshots = 0;
const open = new Set<Socket>();

function answer(socket: Socket, path: string): void {
  if (path === "/snapshot") {
    snapshots += 1;
    socket.write(
      `HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: ${jpeg.length}\r\nConnection: close\r\n\r\n`,
    );
    return void socket.end(jpeg);
  }
  const form = FORMS[path.slice(1)]!;
  socket.write(`HTTP/1.1 200 OK\r\nContent-Type: ${MULTIPART}\r\nConnection: close\r\n\r\n`);
  const send = (): void =>
    void socket.write(Buffer.concat([Buffer.from(form.before(jpeg.length)), jpeg, Buffer.from(form.after ?? "\r\n")]));
  send();
  const timer = setInterval(send, 100);
  socket.once("close", () => clearInterval(timer));
}

beforeAll(async () => {
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

test.each([...Object.keys(FORMS), "snapshot"])("a camera of the form %s is played", async (id) => {
  const { port } = server.address() as AddressInfo;
  expect((await multibox.add({ id, url: `http://127.0.0.1:${port}/${id}`, maxFps: 5 })).status).toBe(201);
  const { counts } = await multibox.streamOnce(id, ({ state, counts: { decoded } }) => state === "live" && decoded > 4);
  expect(counts.decoded).toBeGreaterThan(4);
  // Each of its images was asked for by itself.
  expect(snapshots > 4).toBe(id === "snapshot");
  await multibox.ask(`/v1/streams/${id}`, { method: "DELETE" });
});
