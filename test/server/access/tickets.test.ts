// Tickets: good once, for half a minute, and bounded in number.
import { expect, test } from "vitest";
import type { Caller } from "../../../src/server/access/caller.ts";
import { TICKET_MS, Tickets } from "../../../src/server/access/tickets.ts";
import { steady } from "../../../src/steady-scheduler.ts";

const caller: Caller = { name: "a", scope: "read", tokenId: "a" };

test("a ticket is its caller's, once, and nobody's when it is too old", () => {
  let now = 0;
  const tickets = new Tickets(steady({ now: () => now }));
  const first = tickets.issue(caller);
  expect(first).toEqual({ ticket: expect.stringMatching(/^[\w-]{32}$/), expiresIn: TICKET_MS });
  const second = tickets.issue(caller);
  expect(tickets.redeem(first.ticket)).toBe(caller);
  expect(tickets.redeem(first.ticket)).toBeUndefined();
  now = TICKET_MS;
  expect(tickets.redeem(second.ticket)).toBeUndefined();
  expect(tickets.redeem("")).toBeUndefined();
});

test("a caller that hoards tickets is refused, and others are not", () => {
  let now = 0;
  const tickets = new Tickets(steady({ now: () => now }));
  const hoard = (): void => {
    for (;;) tickets.issue(caller);
  };
  expect(hoard).toThrow(expect.objectContaining({ code: "TICKETS_EXHAUSTED", retryAfter: 30 }));
  expect(tickets.issue({ ...caller, tokenId: "b" }).ticket).toHaveLength(32);
  now = TICKET_MS;
  expect(tickets.issue(caller).ticket).toHaveLength(32);
});
