// Who may ask: tokens and tickets, guessers slowed down; and whether the server needs any at all.
import { createHash, timingSafeEqual } from "node:crypto";
import type { BlockList } from "node:net";
import type { Config } from "../../config.ts";
import { MultiboxError } from "../../errors.ts";
import type { SteadyClock } from "../../steady-scheduler.ts";
import { ANYONE, OWNER, type Caller } from "./caller.ts";
import { clientAddress, createNetworks } from "./client-address.ts";
import { FailureLimit } from "./failure-limit.ts";
import { isLoopback } from "./source-check.ts";
import { Tickets } from "./tickets.ts";
import type { Tokens } from "./tokens.ts";

/** What access depends on, of an HTTP request or of a WebSocket's upgrade. */
export interface Asked {
  readonly method: string;
  readonly upgrade: boolean;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  /** Sec-Fetch-Site, -Mode and -Dest: browsers say by them which page asks, and what for. Programs send none. */
  readonly fetchSite?: string | undefined;
  readonly fetchMode?: string | undefined;
  readonly fetchDest?: string | undefined;
  readonly authorization: string | undefined;
  /** Sec-WebSocket-Protocol: `multibox.v1, bearer.TOKEN`. A browser can send no other header with a WebSocket. */
  readonly protocols?: string | undefined;
  /** `?token=`, which ends up in logs of proxies; kept for programs that can do nothing else. */
  readonly queryToken: string | undefined;
  /** `?ticket=`, for a WebSocket or an `<img>` of a page. */
  readonly queryTicket?: string | undefined;
  /** Of the socket. */
  readonly remote?: string | undefined;
  /** X-Forwarded-For. */
  readonly forwarded?: string | undefined;
}

export type AccessConfig = Pick<Config, "host" | "token" | "trustedProxies">;

export interface AccessOptions {
  readonly config: AccessConfig;
  /** Those of the database; none where there is no database. */
  readonly tokens?: Tokens | undefined;
  readonly clock: SteadyClock;
  readonly failures?: FailureLimit;
  /** Somebody tried a token or ticket that is wrong; how often an address can is limited. */
  readonly onWrong?: (address: string) => void;
}

/** What a WebSocket server answers to `multibox.v1`; the token that came beside it is never sent back. */
export const SUBPROTOCOL = "multibox.v1";

export class Access {
  readonly tickets: Tickets;
  readonly #config: AccessConfig;
  readonly #tokens: Tokens | undefined;
  readonly #failures: FailureLimit;
  readonly #proxies: BlockList;
  readonly #onWrong: (address: string) => void;
  readonly #leases = new Set<Lease>();

  constructor(options: AccessOptions) {
    const { config, tokens, clock, failures = new FailureLimit({ clock }), onWrong = () => undefined } = options;
    this.#config = config;
    this.#tokens = tokens;
    this.#failures = failures;
    this.#proxies = createNetworks(config.trustedProxies);
    this.#onWrong = onWrong;
    this.tickets = new Tickets(clock);
  }

  /** Whether nobody needs a token. One that was ever made is asked for, also when all are revoked by now. */
  get isOpen(): boolean {
    return this.#config.token === undefined && isLoopback(this.#config.host) && !(this.#tokens?.any() ?? false);
  }

  /** Before whatever depends on tokens: what another process has done to them is known when this resolves. Never fails. */
  refresh(): Promise<void> {
    return this.#tokens?.refresh() ?? Promise.resolve();
  }

  /** Fails with TOKEN_WRONG, TICKET_WRONG or TOO_MANY_FAILURES; what was given never appears in the message. */
  identify(asked: Asked): Caller {
    const { token, ticket } = credentialsOf(asked);
    if (token === undefined && ticket === undefined) {
      if (this.isOpen) return ANYONE;
      throw new MultiboxError("TOKEN_WRONG", "This needs a token of the server.", HOW);
    }
    if (this.isOpen) return ANYONE;
    const address = this.addressOf(asked);
    this.#failures.check(address);
    const caller = token === undefined ? this.#redeem(ticket!) : this.#find(token);
    if (caller) return caller;
    this.#failures.fail(address);
    this.#onWrong(address);
    if (token !== undefined) throw new MultiboxError("TOKEN_WRONG", "The token is not one of this server's.", HOW);
    throw new MultiboxError(
      "TICKET_WRONG",
      "The ticket is not valid, or no longer.",
      "Ask for a new one with POST /v1/tickets; each is good for one use within 30 s.",
    );
  }

  /**
   * For what lasts, a WebSocket or a live view: `end` is called when the caller would no longer be let in, its token
   * having been revoked or expired. Gives a function that gives the lease back.
   */
  lease(caller: Caller, end: () => void): () => void {
    const lease = { caller, end };
    this.#leases.add(lease);
    return () => void this.#leases.delete(lease);
  }

  /** Every second or two: another process may have revoked a token. Asks once for each token. */
  sweep(): void {
    const answers = new Map<string | undefined, boolean>();
    for (const lease of this.#leases) {
      const { caller } = lease;
      const key = caller === ANYONE ? "anyone" : caller.tokenId;
      const isLetIn = answers.get(key) ?? this.#isStillLetIn(caller);
      answers.set(key, isLetIn);
      if (isLetIn) continue;
      this.#leases.delete(lease);
      lease.end();
    }
  }

  #isStillLetIn(caller: Caller): boolean {
    if (caller === ANYONE) return this.isOpen;
    return caller.tokenId === undefined || (this.#tokens?.isValid(caller.tokenId) ?? false);
  }

  /** Whose doing a request is: the client's address, behind proxies of ours too. */
  addressOf({ remote, forwarded }: Pick<Asked, "remote" | "forwarded">): string {
    return clientAddress(remote, forwarded, this.#proxies);
  }

  #find(token: string): Caller | undefined {
    const { token: configured } = this.#config;
    const isOwner = configured !== undefined && isEqual(token, configured);
    return isOwner ? OWNER : this.#tokens?.find(token);
  }

  #redeem(ticket: string): Caller | undefined {
    const caller = this.tickets.redeem(ticket);
    return caller && this.#isStillLetIn(caller) ? caller : undefined;
  }
}

interface Lease {
  readonly caller: Caller;
  readonly end: () => void;
}

const HOW = "Send it as `Authorization: Bearer TOKEN`; a page gets a ticket with POST /v1/tickets.";

/** The strongest that was sent; a wrong one is not made good by another. */
function credentialsOf(asked: Asked): { token?: string | undefined; ticket?: string | undefined } {
  const bearer = /^Bearer +(\S+)\s*$/i.exec(asked.authorization ?? "")?.[1];
  if (bearer !== undefined) return { token: bearer };
  const offered = asked.upgrade ? (asked.protocols ?? "").split(",").map((name) => name.trim()) : [];
  const protocol = offered.find((name) => name.startsWith("bearer."));
  if (protocol !== undefined) return { token: protocol.slice("bearer.".length) };
  if (asked.method !== "GET") return {};
  return asked.queryTicket === undefined ? { token: asked.queryToken } : { ticket: asked.queryTicket };
}

/** Takes the same time wherever two texts differ; digests have one length. */
function isEqual(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
