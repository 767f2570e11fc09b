// Answers on a bare socket as HTTP would, because a client that sees only a closed socket cannot say why.
import type { Duplex } from "node:stream";

/** An answer as it goes over the wire, after which the connection is closed. One to HEAD has no body. */
export async function rawResponse(response: Response, method = "GET"): Promise<string> {
  const body = await response.text();
  const headers = [...response.headers].map(([name, value]) => `${name}: ${value}`);
  const status = `HTTP/1.1 ${response.status} Refused`;
  const head = [status, ...headers, `content-length: ${Buffer.byteLength(body)}`, "connection: close"];
  return `${head.join("\r\n")}\r\n\r\n${method === "HEAD" ? "" : body}`;
}

/** Writes the answer and closes the socket, whatever the other side does. */
export async function writeResponse(socket: Duplex, response: Response, method?: string): Promise<void> {
  socket.on("error", () => socket.destroy());
  // HTTP servers' sockets stay half open, and this one is no longer HTTP's to close.
  socket.end(await rawResponse(response, method), () => socket.destroy());
}
