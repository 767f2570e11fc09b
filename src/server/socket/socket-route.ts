// /v1/detections and its messages as they are described, and for those who ask for it without an upgrade; serve.ts takes the others.
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { MultiboxError } from "../../errors.ts";
import { json, problems, SECURED, TicketQuery, TokenQuery } from "../api/api-route.ts";
import { StaticAnswer } from "../api/static-answer.ts";
import { messageSchema } from "./message-schema.ts";

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

const schemaRoute = createRoute({
  method: "get",
  path: "/v1/schema.json",
  tags: ["Detection"],
  summary: "The messages of that WebSocket, as JSON Schema",
  security: SECURED,
  responses: { 200: json(z.looseObject({ $defs: z.looseObject({}) }), "Each message by its name.") },
});

export function socketRoute(): OpenAPIHono {
  const schema = new StaticAnswer(JSON.stringify(messageSchema()), { type: "application/json" });
  const app = new OpenAPIHono();
  app.openapi(schemaRoute, (c) => schema.respond(c) as never);
  app.openapi(route, () => {
    throw new MultiboxError("UPGRADE_NEEDED", "This is a WebSocket.", "Connect to it by ws:// or wss://.");
  });
  return app;
}
