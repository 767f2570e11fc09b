// Where a request may come from: the addresses to listen on, the host names to answer to, the pages that may ask.
import { z } from "zod";
import type { Config } from "../../config.ts";
import { MultiboxError } from "../../errors.ts";
import type { Asked } from "./access.ts";
import { show } from "../api/explain.ts";

/** As a browser says it: scheme, host and port, no path. */
export const Origin = z
  .string()
  .refine((text) => /^https?:\/\//.test(text) && URL.canParse(text) && new URL(text).origin === text, {
    error: "must be an origin such as https://cameras.example, without a path",
  });

/** Before listening. Fails with TOKEN_NEEDED when strangers could reach a server that asks for no token. */
export function checkListen(config: Pick<Config, "host" | "token">, hasTokens = false): void {
  if (config.token !== undefined || hasTokens || isLoopback(config.host)) return;
  throw new MultiboxError(
    "TOKEN_NEEDED",
    `Listening on ${config.host} lets other machines in, and there is no token.`,
    "Set a token of at least 16 characters, make one with `multibox token create`, or listen on 127.0.0.1.",
  );
}

export interface SourceRules extends Pick<Config, "host" | "allowedOrigins"> {
  /** Nobody needs a token. */
  readonly isOpen: boolean;
}

type AskedFrom = Pick<Asked, "method" | "upgrade" | "host" | "origin" | "fetchSite" | "fetchMode" | "fetchDest">;

/**
 * Fails with HOST_NOT_ALLOWED or ORIGIN_NOT_ALLOWED. A browser on this machine runs pages from anywhere: such a page
 * may neither open a WebSocket or change something here (Origin), nor come by a name of its own that it has pointed
 * at 127.0.0.1 (DNS rebinding, Host). Where no token is needed it may not read here either, as an `<img>` does without an Origin
 * (Sec-Fetch-Site); a link that is followed is no page that reads.
 */
export function checkSource(rules: SourceRules, asked: AskedFrom): void {
  if (rules.isOpen) {
    const name = hostname(asked.host);
    if (name === undefined || !(isLoopback(name) || name === rules.host)) {
      throw new MultiboxError(
        "HOST_NOT_ALLOWED",
        `This server does not answer to the host name ${show(asked.host ?? "")}.`,
        "Use http://localhost or http://127.0.0.1, or set a token to be reached by other names.",
      );
    }
  }
  const safe = !asked.upgrade && ["GET", "HEAD", "OPTIONS"].includes(asked.method);
  const { origin } = asked;
  if (safe && !(rules.isOpen && isForeign(asked))) return;
  if (!safe && (origin === undefined || isSameHost(origin, asked.host))) return;
  if (origin !== undefined && rules.allowedOrigins.includes(origin)) return;
  throw new MultiboxError(
    "ORIGIN_NOT_ALLOWED",
    `${origin === undefined ? "A page of another origin" : `A page of ${show(origin)}`} may not do this here.`,
    "Open the server's own page, or name that origin in the setting `allowedOrigins` (an image of it then needs the attribute crossorigin).",
  );
}

export function isLoopback(name: string): boolean {
  return name === "localhost" || /^127\.\d+\.\d+\.\d+$/.test(name) || name === "::1" || name === "[::1]";
}

/** Whether a page of another origin asks, by what browsers say of every request (Fetch Metadata). */
function isForeign({ fetchSite, fetchMode, fetchDest, origin, host }: AskedFrom): boolean {
  if (fetchSite !== "cross-site" && fetchSite !== "same-site") return false;
  const isLink = fetchMode === "navigate" && fetchDest === "document";
  return !isLink && !(origin !== undefined && isSameHost(origin, host));
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
