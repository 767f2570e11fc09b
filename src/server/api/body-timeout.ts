// How long the body of a request may take: so long in all; or, for an upload, as long as it comes on.
import type { IncomingMessage, Server, ServerResponse } from "node:http";

/** Of an upload at least so much comes in each stretch of the time that any other body has in all. */
const LEAST_BYTES = 65_536;

/** In place of Node's own `requestTimeout`, which knows no exceptions. A body that takes too long is answered with 408. */
export function boundBodies(server: Server, milliseconds: number): void {
  server.requestTimeout = 0;
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    let before = socket.bytesRead;
    const timer = setInterval(() => {
      if (request.complete || socket.destroyed) return clearInterval(timer);
      const came = socket.bytesRead - before;
      before = socket.bytesRead;
      if (isUpload(request) && !response.writableEnded && came >= LEAST_BYTES) return;
      clearInterval(timer);
      if (response.headersSent) socket.destroy();
      else socket.end("HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n", () => socket.destroy());
    }, milliseconds).unref();
    response.once("close", () => clearInterval(timer));
  });
}

function isUpload({ headers }: IncomingMessage): boolean {
  return /^multipart\/form-data\b/i.test(headers["content-type"] ?? "");
}
