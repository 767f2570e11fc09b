// What every HTTP request passes before its route: an id, the log, the source, CORS, the caller and what the route needs.
import type { HttpBindings } from "@hono/node-server";
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context, MiddlewareHandler } from "hono";
import { cors } from "hono/cors";
import { requestId } from "hono/request-id";
import { matchedRoutes } from "hono/route";
import type { Logger } from "pino";
import type { Config } from "../../config.ts";
import type { SteadyClock } from "../../steady-scheduler.ts";
import type { Access, Asked } from "./access.ts";
import { streamUnknown } from "../../pipeline/stream.ts";
import { requireAllStreams, requireScope, sees } from "./caller.ts";
import { needOf } from "./route-access.ts";
import { checkSource } from "./source-check.ts";

/** What comes with a request that came over HTTP. */
export interface GateBindings extends HttpBindings {
  /** The caller was identified. */
  readonly onCaller: () => void;
}

export interface GateOptions {
  readonly access: Access;
  readonly config: Pick<Config, "host" | "allowedOrigins">;
  readonly logger: Logger;
  readonly clock: SteadyClock;
}

/** Comes before all routes of the app. */
export function addGate(app: OpenAPIHono, { access, config, logger, clock }: GateOptions): void {
  app.use(requestId());
  app.use(logged(logger, clock), secured(config));
  app.use(async (c, next) => {
    await access.refresh();
    checkSource({ ...config, isOpen: access.isOpen }, askedBy(c));
    await next();
  });
  const { allowedOrigins } = config;
  const cross = cors({
    origin: [...allowedOrigins],
    allowMethods: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
    allowHeaders: ["Authorization", "Content-Type", "If-Match", "If-None-Match", "X-Request-Id"],
    exposeHeaders: ["ETag", "Link", "Location", "Retry-After", "X-Multibox-Pts", "X-Multibox-Seq", "X-Request-Id"],
    maxAge: 600,
  });
  // Not for others: it would answer every OPTIONS by itself.
  app.use((c, next) => (allowedOrigins.includes(c.req.header("origin") ?? "") ? cross(c, next) : next()));
  app.use(permitted(access));
}

/** Of a request that came over HTTP, or that a test made. */
export function askedBy(c: Context): Asked {
  const incoming = (c.env as Partial<HttpBindings> | undefined)?.incoming;
  return {
    method: c.req.method,
    upgrade: false,
    host: c.req.header("host") ?? new URL(c.req.url).host,
    origin: c.req.header("origin"),
    fetchSite: c.req.header("sec-fetch-site"),
    fetchMode: c.req.header("sec-fetch-mode"),
    fetchDest: c.req.header("sec-fetch-dest"),
    authorization: c.req.header("authorization"),
    queryToken: c.req.query("token"),
    queryTicket: c.req.query("ticket"),
    remote: incoming?.socket.remoteAddress,
    forwarded: c.req.header("x-forwarded-for"),
  };
}

/** The path alone is logged: a query may hold a token. */
function logged(logger: Logger, clock: SteadyClock): MiddlewareHandler {
  return async (c, next) => {
    const began = clock.now();
    await next();
    const { method, path } = c.req;
    const fields = {
      requestId: c.get("requestId"),
      method,
      path,
      status: c.res.status,
      ms: Math.round(clock.now() - began),
    };
    logger.debug({ ...fields, ...(c.get("caller") && { caller: c.get("caller").name }) }, "request");
  };
}

/** The page needs no token, because it cannot have one before it is loaded; it holds nothing that is secret. */
const CSP = "Content-Security-Policy";
const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  [CSP]:
    // Some browsers do not take WebSockets to the same host for 'self'.
    "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
};

/** Whether pages of other origins may show our images: those of `allowedOrigins`, which checkSource tells from others. */
function secured({ allowedOrigins }: Pick<Config, "allowedOrigins">): MiddlewareHandler {
  const policy = allowedOrigins.length > 0 ? "cross-origin" : "same-origin";
  const all = Object.entries({ ...SECURITY_HEADERS, "Cross-Origin-Resource-Policy": policy });
  return async (c, next) => {
    await next();
    const { headers } = c.res;
    // What holds things of others, as a report does, is held to less than the page is.
    const own = headers.get(CSP);
    for (const [header, value] of all) c.header(header, header === CSP && own !== null ? own : value);
    if (!headers.has("Cache-Control")) c.header("Cache-Control", "no-store");
  };
}

/** Fails as `identify` does, with SCOPE_MISSING, STREAMS_LIMITED, or STREAM_UNKNOWN for a stream that is not the caller's. */
function permitted(access: Access): MiddlewareHandler {
  return async (c, next) => {
    const route = matchedRoutes(c).find(({ method, path }) => method !== "ALL" && !path.includes("*"));
    const need = route && needOf(`${route.method} ${route.path}`);
    // Strangers learn of nothing below /v1 whether it is there.
    if (need === "public" || (!need && !/^\/(v1|metrics)(\/|$)/.test(c.req.path))) return next();
    const caller = access.identify(askedBy(c));
    c.set("caller", caller);
    (c.env as Partial<GateBindings> | undefined)?.onCaller?.();
    if (need) {
      requireScope(caller, need.scope);
      if (need.streams === "all") requireAllStreams(caller);
      if (need.streams === "of-path") {
        const stream = streamOf(route.path, c.req.path);
        if (!sees(caller, stream)) throw streamUnknown(stream);
      }
    }
    await next();
  };
}

/** The parameters of a route are not known yet to what comes before it. */
function streamOf(pattern: string, path: string): string {
  const at = pattern.split("/").indexOf(":id");
  const part = path.split("/")[at] ?? "";
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
