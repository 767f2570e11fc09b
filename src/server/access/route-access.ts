// The one table of what each route and WebSocket request needs. A route that is not in it does not start.
import type { RouterRoute } from "hono/types";
import type { Scope } from "./caller.ts";
import type { ClientMessage } from "../protocol.ts";

/**
 * How a route goes with a token that is limited to some streams. `of-path`: the stream `:id` of the path must be one of
 * them, else it is unknown. `filtered`: the handler asks `sees`. `all`: it concerns every stream, and is refused.
 */
type Streams = "of-path" | "filtered" | "all";

export interface RouteNeed {
  readonly scope: Scope;
  readonly streams: Streams;
}

/** The page can have no token before it is loaded; whether the server is well is asked by what has none. */
const PUBLIC = "public";

const ROUTES: Readonly<Record<string, RouteNeed | typeof PUBLIC>> = {
  "GET /health/live": PUBLIC,
  "GET /health/ready": PUBLIC,
  "GET /docs": PUBLIC,
  "GET /docs/style.css": PUBLIC,
  "GET /openapi.json": PUBLIC,
  "GET /health": { scope: "read", streams: "filtered" },
  "GET /metrics": { scope: "read", streams: "all" },
  "POST /v1/tickets": { scope: "read", streams: "filtered" },
  "POST /v1/detect": { scope: "read", streams: "filtered" },
  "GET /v1/detections": { scope: "read", streams: "filtered" },
  "GET /v1/schema.json": { scope: "read", streams: "filtered" },
  "GET /v1/streams": { scope: "read", streams: "filtered" },
  "POST /v1/streams": { scope: "write", streams: "filtered" },
  "GET /v1/streams/:id": { scope: "read", streams: "of-path" },
  "PATCH /v1/streams/:id": { scope: "write", streams: "of-path" },
  "POST /v1/streams/:id/pause": { scope: "write", streams: "of-path" },
  "POST /v1/streams/:id/resume": { scope: "write", streams: "of-path" },
  "DELETE /v1/streams/:id": { scope: "write", streams: "of-path" },
  "GET /v1/streams/:id/snapshot.jpg": { scope: "read", streams: "of-path" },
  "GET /v1/streams/:id/live.mjpeg": { scope: "read", streams: "of-path" },
  "GET /v1/streams/:id/detections": { scope: "read", streams: "of-path" },
  "GET /v1/streams/:id/stats": { scope: "read", streams: "of-path" },
  "POST /v1/streams/:id/captures": { scope: "write", streams: "of-path" },
  "GET /v1/models": { scope: "read", streams: "filtered" },
  "GET /v1/models/:name": { scope: "read", streams: "filtered" },
  "GET /v1/models/:name/versions/:version/report": { scope: "read", streams: "all" },
  "GET /v1/models/:name/versions/:version/impact": { scope: "read", streams: "all" },
  "POST /v1/models/:name/versions/:version/activate": { scope: "admin", streams: "all" },
  "POST /v1/models/:name/rollback": { scope: "admin", streams: "all" },
  "DELETE /v1/models/:name/versions/:version": { scope: "admin", streams: "all" },
  "GET /v1/captures": { scope: "read", streams: "filtered" },
  "POST /v1/captures/proposals": { scope: "write", streams: "filtered" },
  "GET /v1/captures/proposals": { scope: "read", streams: "filtered" },
  "POST /v1/captures/proposals/cancel": { scope: "write", streams: "filtered" },
  "GET /v1/captures/agreement": { scope: "read", streams: "filtered" },
  "GET /v1/captures/:id": { scope: "read", streams: "filtered" },
  "GET /v1/captures/:id/picture.jpg": { scope: "read", streams: "filtered" },
  "PATCH /v1/captures/:id": { scope: "write", streams: "filtered" },
  "DELETE /v1/captures/:id": { scope: "write", streams: "filtered" },
  "GET /v1/jobs": { scope: "read", streams: "all" },
  "POST /v1/jobs": { scope: "write", streams: "all" },
  "GET /v1/jobs/:id": { scope: "read", streams: "all" },
  "GET /v1/jobs/:id/results/:name": { scope: "read", streams: "all" },
  "POST /v1/jobs/:id/cancel": { scope: "write", streams: "all" },
  "DELETE /v1/jobs/:id": { scope: "write", streams: "all" },
  "GET /v1/trainings": { scope: "read", streams: "all" },
  "POST /v1/trainings": { scope: "admin", streams: "all" },
  "GET /v1/trainings/:id": { scope: "read", streams: "all" },
  "GET /v1/trainings/:id/report": { scope: "read", streams: "all" },
  "POST /v1/trainings/:id/cancel": { scope: "admin", streams: "all" },
  "POST /v1/trainings/:id/resume": { scope: "admin", streams: "all" },
  "DELETE /v1/trainings/:id": { scope: "admin", streams: "all" },
};

/** Each request of a WebSocket; the streams that it names are checked as those of a path are. */
export const REQUEST_SCOPES: Readonly<Record<ClientMessage["type"], Scope>> = {
  subscribe: "read",
  unsubscribe: "read",
  watch: "read",
  unwatch: "read",
  ping: "read",
};

/** What a route needs, by its method and pattern, `GET /v1/streams/:id`; undefined for what is no route of ours. */
export function needOf(route: string): RouteNeed | typeof PUBLIC | undefined {
  return Object.hasOwn(ROUTES, route) ? ROUTES[route] : undefined;
}

/** The routes of an app, as this table names them, but for those that take whatever is left: the page, and refusals. */
export function routesOf(app: { readonly routes: readonly RouterRoute[] }): string[] {
  const handled = app.routes.filter(({ method, path }) => method !== "ALL" && !path.includes("*"));
  return [...new Set(handled.map(({ method, path }) => `${method} ${path}`))];
}

/** A route that was forgotten here would be open to all, or to nobody. Throws an Error that names it: that is a bug. */
export function checkRoutes(app: { readonly routes: readonly RouterRoute[] }): void {
  const missing = routesOf(app).filter((route) => needOf(route) === undefined);
  if (missing.length > 0) throw new Error(`src/server/access/route-access.ts says nothing of: ${missing.join(", ")}`);
}
