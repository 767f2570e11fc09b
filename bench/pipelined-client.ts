// Sends many requests at once over one connection and reads all answers; a process of its own, so that it delays no subscriber.
import { once } from "node:events";
import { connect, type Socket } from "node:net";

export interface PipelinedRequest {
  readonly port: number;
  readonly path: string;
  readonly count: number;
}

process.on("message", (request: PipelinedRequest) => {
  void run(request).then((milliseconds) => process.send!(milliseconds));
});

async function run({ port, path, count }: PipelinedRequest): Promise<number> {
  const text = `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
  const began = performance.now();
  for (let left = count; left > 0;) {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    // All answers to one path have the same length.
    socket.write(text);
    const length = await bytesOf(socket, Infinity);
    socket.write(text.repeat(left - 1));
    // A server may close a connection before it has answered all: the rest is sent over another one.
    const answered = Math.floor((await bytesOf(socket, length * (left - 1))) / length);
    socket.destroy();
    left -= 1 + answered;
  }
  return performance.now() - began;
}

/** Bytes that come until there are that many, or, where no number is known, until one answer is whole; fewer where the server closes. */
function bytesOf(socket: Socket, wanted: number): Promise<number> {
  return new Promise((resolve) => {
    let bytes = 0;
    let head = "";
    const read = (data: Buffer): void => {
      bytes += data.length;
      if (!Number.isFinite(wanted)) {
        if (!head.includes("\r\n\r\n")) head += data.toString("latin1");
        const end = head.indexOf("\r\n\r\n");
        if (end < 0) return;
        wanted = end + 4 + Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
      }
      if (bytes < wanted) return;
      socket.off("data", read);
      resolve(bytes);
    };
    socket.on("data", read);
    socket.on("error", () => undefined);
    socket.once("close", () => resolve(bytes));
  });
}
