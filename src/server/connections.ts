// Which connections of an HTTP server are at rest, so that stopping waits only for answers that are being given.
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/**
 * Node's own `closeIdleConnections` overlooks connections that have not asked anything yet, and browsers keep such
 * ones ready; nor does it close those whose answer ends later.
 */
export class Connections {
  readonly #open = new Set<Socket>();
  readonly #resting = new Set<Socket>();
  #isStopping = false;

  constructor(server: Server) {
    server.on("connection", (socket: Socket) => {
      this.#open.add(socket);
      this.#resting.add(socket);
      socket.once("close", () => {
        this.#open.delete(socket);
        this.#resting.delete(socket);
      });
    });
    server.on("request", ({ socket }: IncomingMessage, response: ServerResponse) => {
      this.#resting.delete(socket);
      response.once("finish", () => this.#rest(socket));
    });
    server.on("upgrade", ({ socket }: IncomingMessage) => this.#resting.delete(socket));
  }

  /** Closes what is at rest now, and everything else when its answer has gone out. */
  stop(): void {
    this.#isStopping = true;
    for (const socket of this.#resting) socket.destroy();
  }

  /** Ends all that is left, WebSockets included. */
  destroy(): void {
    for (const socket of this.#open) socket.destroy();
  }

  #rest(socket: Socket): void {
    if (this.#isStopping) socket.end();
    else if (!socket.destroyed) this.#resting.add(socket);
  }
}
