// Who may ask: the token, the pages that may ask through a browser, and the names that the server answers to.
import { createHash, timingSafeEqual } from "node:crypto";
import type { Config } from "../config.ts";
import { MultiboxError } from "../errors.ts";
import { show } from "./explain.ts";

/** What access depends on, of an HTTP request or of a WebSocket's upgrade. */
export interface Asked {
  readonly method: string;
  readonly upgrade: boolean;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly authorization: string | undefined;
  /** `?token=`, for what a browser cannot give a header: a WebSocket, an `<img>`. */
  readonly queryToken: string | undefined;
}

type AccessConfig = Pick<Config, "host" | "token">;

/** Before listening. Fails with TOKEN_NEEDED when strangers could reach a server that asks for no token. */
export function checkListen(config: AccessConfig): void {
  if (config.token !== undefined || isLoopback(config.host)) return;
  throw new MultiboxError(
    "TOKEN_NEEDED",
    `Listening on ${config.host} lets other machines in, and no token is set.`,
    "Set a token of at least 16 characters, or listen on 127.0.0.1.",
  );
}

/**
 * Fails with HOST_NOT_ALLOWED or ORIGIN_NOT_ALLOWED. A browser on this machine runs pages from anywhere: such a page
 * may neither open a WebSocket or change something here (Origin), nor come by a name of its own that it has pointed
 * at 127.0.0.1 (DNS rebinding, Host).
 */
export function checkSource(config: AccessConfig, asked: Asked): void {
  if (config.token === undefined && isLoopback(config.host)) {
    const name = hostname(asked.host);
    if (name === undefined || !(isLoopback(name) || name === config.host)) {
      throw new MultiboxError(
        "HOST_NOT_ALLOWED",
        `This server does not answer to the host name ${show(asked.host ?? "")}.`,
        "Use http://localhost or http://127.0.0.1, or set a token to be reached by other names.",
      );
    }
  }
  const safe = !asked.upgrade && ["GET", "HEAD", "OPTIONS"].includes(asked.method);
  if (safe || asked.origin === undefined || isSameHost(asked.origin, asked.host)) return;
  throw new MultiboxError(
    "ORIGIN_NOT_ALLOWED",
    `A page of ${show(asked.origin)} may not do this here.`,
    "Open the server's own page, or ask from a program instead of a browser.",
  );
}

/** Fails with TOKEN_WRONG; the token itself never appears in the message. */
export function checkToken(config: AccessConfig, asked: Asked): void {
  if (config.token === undefined) return;
  const bearer = /^Bearer +(\S+)\s*$/i.exec(asked.authorization ?? "")?.[1];
  const given = bearer ?? (asked.method === "GET" ? asked.queryToken : undefined);
  if (given !== undefined && isEqual(given, config.token)) return;
  throw new MultiboxError(
    "TOKEN_WRONG",
    given === undefined ? "This needs the server's token." : "The token is not this server's.",
    "Send it as `Authorization: Bearer TOKEN`, or as `?token=TOKEN` where a header cannot be sent.",
  );
}

/** Takes the same time wherever two texts differ; digests have one length. */
function isEqual(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

function isLoopback(name: string): boolean {
  return name === "localhost" || /^127\.\d+\.\d+\.\d+$/.test(name) || name === "::1" || name === "[::1]";
}

function hostname(host: string | undefined): string | undefined {
  return host !== undefined && URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : undefined;
}

/** The scheme may differ, because a proxy may speak TLS for us. */
function isSameHost(origin: string, host: string | undefined): boolean {
  if (!URL.canParse(origin) || host === undefined) return false;
  const { protocol, host: from } = new URL(origin);
  return URL.canParse(`${protocol}//${host}`) && from !== "" && new URL(`${protocol}//${host}`).host === from;
}
