// Which connections of an HTTP server may be open, and which are idle, so that stopping waits only for answers that are being given.
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Config } from "../config.ts";
import { MultiboxError } from "../errors.ts";
import { createNetworks, isOneOf, plainAddress } from "./access/client-address.ts";
import { problemResponse } from "./api/problem.ts";
import { rawResponse } from "./api/raw-response.ts";

export type ConnectionLimits = Pick<Config, "maxConnections" | "maxConnectionsPerAddress" | "trustedProxies">;

/**
 * Node's own `closeIdleConnections` overlooks connections that have not sent a request yet, and browsers keep such ones ready; nor does it
 * close those whose answer ends later.
 */
export class Connections {
  readonly #open = new Map<Socket, string>();
  readonly #idle = new Set<Socket>();
  /** Those that have not shown that they may ask for anything, the oldest first. */
  readonly #strangers = new Set<Socket>();
  readonly #ofAddress = new Map<string, number>();
  #refusal = "";
  #isStopping = false;

  /** A connection beyond the limits takes the place of a stranger's, an idle one first. Without any it is answered with SERVER_FULL, unread. */
  constructor(server: Server, limits: ConnectionLimits) {
    const proxies = createNetworks(limits.trustedProxies);
    void rawResponse(problemResponse(FULL)).then((text) => (this.#refusal = text));
    server.on("connection", (socket: Socket) => {
      // One that is handed to HTTP again, see upgrade.ts.
      if (this.#open.has(socket)) return;
      const address = plainAddress(socket.remoteAddress ?? "");
      const own = this.#ofAddress.get(address) ?? 0;
      const isGreedy = own >= limits.maxConnectionsPerAddress && !isOneOf(proxies, address);
      const isFull = this.#open.size >= limits.maxConnections;
      if ((isGreedy || isFull) && !this.#evict(isGreedy ? address : undefined)) {
        // At once, so that nothing of what it asks is read or done.
        socket.write(this.#refusal);
        socket.destroy();
        return;
      }
      this.#ofAddress.set(address, (this.#ofAddress.get(address) ?? 0) + 1);
      this.#open.set(socket, address);
      this.#idle.add(socket);
      this.#strangers.add(socket);
      socket.once("close", () => this.#forget(socket));
    });
    server.on("request", ({ socket }: IncomingMessage, response: ServerResponse) => {
      this.#idle.delete(socket);
      response.once("finish", () => this.#rest(socket));
    });
    server.on("upgrade", ({ socket }: IncomingMessage) => this.#idle.delete(socket));
  }

  /** Its caller was let in: the connection is no longer closed to make room for others. */
  trust(socket: Socket): void {
    this.#strangers.delete(socket);
  }

  /** Closes what is idle now, and everything else when its answer has gone out. */
  stop(): void {
    this.#isStopping = true;
    for (const socket of this.#idle) socket.destroy();
  }

  /** Ends all that is left, WebSockets included. */
  destroy(): void {
    for (const socket of this.#open.keys()) socket.destroy();
  }

  /** Whether a stranger's connection could be closed; of one address where it is given. */
  #evict(address: string | undefined): boolean {
    let chosen: Socket | undefined;
    for (const socket of this.#strangers) {
      if (address !== undefined && this.#open.get(socket) !== address) continue;
      chosen ??= socket;
      if (!this.#idle.has(socket)) continue;
      chosen = socket;
      break;
    }
    if (!chosen) return false;
    chosen.destroy();
    this.#forget(chosen);
    return true;
  }

  #forget(socket: Socket): void {
    const address = this.#open.get(socket);
    if (address === undefined) return;
    this.#open.delete(socket);
    this.#idle.delete(socket);
    this.#strangers.delete(socket);
    const left = (this.#ofAddress.get(address) ?? 1) - 1;
    if (left > 0) this.#ofAddress.set(address, left);
    else this.#ofAddress.delete(address);
  }

  #rest(socket: Socket): void {
    if (this.#isStopping) socket.end();
    else if (this.#open.has(socket)) this.#idle.add(socket);
  }
}

const FULL = new MultiboxError(
  "SERVER_FULL",
  "There are too many connections, in all or from your address.",
  "Close some, or try again later.",
);
