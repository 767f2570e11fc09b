// /v1/detections as it is described, and for those who ask for it without an upgrade; serve.ts takes the others.
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { MultiboxError } from "../errors.ts";
import { problems, SECURED, TicketQuery, TokenQuery } from "./api-route.ts";

const route = createRoute({
  method: "get",
  path: "/v1/detections",
  tags: ["Detection"],
  summary: "The detections of streams, over WebSocket",
  description: "docs/websocket.md has its messages.",
  security: SECURED,
  request: { query: z.object({ token: TokenQuery, ticket: TicketQuery }) },
  responses: { 101: { description: "A WebSocket." }, ...problems("UPGRADE_NEEDED") },
});

export function socketRoute(): OpenAPIHono {
  return new OpenAPIHono().openapi(route, () => {
    throw new MultiboxError("UPGRADE_NEEDED", "This is a WebSocket.", "Connect to it by ws:// or wss://.");
  });
}
