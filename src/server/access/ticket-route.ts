// POST /v1/tickets: a ticket to be used once, soon, in place of a token.
import { createRoute, OpenAPIHono } from "@hono/zod-openapi";
import type { Access } from "./access.ts";
import { json, problems, SECURED } from "../api/api-route.ts";
import { callerOf } from "./caller.ts";
import { TicketAnswer } from "../protocol.ts";
import { isoTime } from "../streams/streams.ts";

const route = createRoute({
  method: "post",
  path: "/v1/tickets",
  tags: ["Access"],
  summary: "Get a ticket for a WebSocket or a picture",
  description:
    "A page puts it into an address, `?ticket=`, where a token would end up in logs. It stands for your token once, for 30 s.",
  security: SECURED,
  responses: { 201: json(TicketAnswer, "The ticket."), ...problems("TICKETS_EXHAUSTED") },
});

export function ticketRoute({ tickets }: Pick<Access, "tickets">, clock: { now(): number }): OpenAPIHono {
  return new OpenAPIHono().openapi(route, (c) => {
    const { ticket, expiresIn } = tickets.issue(callerOf(c));
    return c.json({ ticket, expires: isoTime(clock.now() + expiresIn) }, 201);
  });
}
