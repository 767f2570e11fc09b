// Which connections of an HTTP server are at rest, so that stopping waits only for answers that are being given.
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Config } from "../config.ts";
import { MultiboxError } from "../errors.ts";
import { createNetworks, isOneOf, plainAddress } from "./access/client-address.ts";
import { problemResponse } from "./api/problem.ts";
import { rawResponse } from "./api/raw-response.ts";

export type ConnectionLimits = Pick<Config, "maxConnections" | "maxConnectionsPerAddress" | "trustedProxies">;

/**
 * Node's own `closeIdleConnections` overlooks connections that have not asked anything yet, and browsers keep such
 * ones ready; nor does it close those whose answer ends later.
 */
export class Connections {
  readonly #open = new Set<Socket>();
  readonly #resting = new Set<Socket>();
  readonly #ofAddress = new Map<string, number>();
  #refusal = "";
  #isStopping = false;

  /** What is beyond the limits is answered with SERVER_FULL, unread. */
  constructor(server: Server, limits: ConnectionLimits) {
    const proxies = createNetworks(limits.trustedProxies);
    void rawResponse(problemResponse(FULL)).then((text) => (this.#refusal = text));
    server.on("connection", (socket: Socket) => {
      const address = plainAddress(socket.remoteAddress ?? "");
      const own = (this.#ofAddress.get(address) ?? 0) + 1;
      const isGreedy = own > limits.maxConnectionsPerAddress && !isOneOf(proxies, address);
      if (isGreedy || this.#open.size >= limits.maxConnections) {
        // At once, so that nothing of what it asks is read or done.
        socket.write(this.#refusal);
        socket.destroy();
        return;
      }
      this.#ofAddress.set(address, own);
      this.#open.add(socket);
      this.#resting.add(socket);
      socket.once("close", () => {
        this.#open.delete(socket);
        this.#resting.delete(socket);
        this.#leave(address);
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

  #leave(address: string): void {
    const left = (this.#ofAddress.get(address) ?? 1) - 1;
    if (left > 0) this.#ofAddress.set(address, left);
    else this.#ofAddress.delete(address);
  }

  #rest(socket: Socket): void {
    if (this.#isStopping) socket.end();
    else if (!socket.destroyed) this.#resting.add(socket);
  }
}

const FULL = new MultiboxError(
  "SERVER_FULL",
  "There are too many connections, in all or from your address.",
  "Close some, or try again later.",
);
