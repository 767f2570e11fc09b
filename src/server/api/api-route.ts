// What routes are declared with: bodies, answers, problems and the token, as they run and as they stand in /openapi.json.
import type { MiddlewareHandler } from "hono";
import { z } from "zod";
import { readJsonText } from "./body.ts";
import { Problem, statusOf } from "./problem.ts";

/** `security` of a route that needs the server's token where there is one. */
export const SECURED: { token: string[] }[] = [{ token: [] }];

/** Goes into the query of routes that browsers ask for without headers: an `<img>`, a download. */
export const TokenQuery = z
  .string()
  .optional()
  .describe("The server's token, where the header Authorization cannot be sent.");

/** A number in a query. Unlike `z.coerce.number()` it does not take an empty text for 0. */
export function numberText<T extends z.ZodType<number>>(schema: T): z.ZodPreprocess<T> {
  return z.preprocess((text) => (typeof text === "string" && text.trim() !== "" ? Number(text) : text), schema);
}

/** Beside `token`; see `POST /v1/tickets`. */
export const TicketQuery = z.string().optional().describe("A ticket, which a page rather sends than a token.");

interface Described<Content> {
  readonly description: string;
  readonly content: Content;
}

/** An answer in JSON. */
export function json<T extends z.ZodType>(
  schema: T,
  description: string,
): Described<{ "application/json": { schema: T } }> {
  return { description, content: { "application/json": { schema } } };
}

/** `request.body` in JSON. Goes with `middleware: readsJson()`, which reads it. */
export function jsonBody<T extends z.ZodType>(
  schema: T,
): { required: true; content: { "application/json": { schema: T } } } {
  return { required: true, content: { "application/json": { schema } } };
}

interface ReadOptions {
  /** In bytes. */
  readonly limit?: number;
  readonly types?: readonly string[];
}

/**
 * Reads a JSON body before its schema sees it, and no more of it than allowed. Fails with CONTENT_TYPE, BODY_TOO_LARGE,
 * BODY_INCOMPLETE or, where it is no JSON, BAD_REQUEST.
 */
export function readsJson({ limit = 65_536, types = ["application/json"] }: ReadOptions = {}): MiddlewareHandler {
  return async (c, next) => {
    const text = await readJsonText(c.req.raw, types, limit);
    // What the validator asks Hono for, which has no way to bound it.
    c.req.bodyCache.text = Promise.resolve(text) as unknown as string;
    await next();
  };
}

interface ProblemAnswer extends Described<{ "application/problem+json": { schema: typeof Problem } }> {}

/**
 * Refusals by their codes, for `responses`. Those that any route may give (the token, the host, a broken request) need
 * not be named. Typed as nothing, because handlers throw them and never return them.
 */
export function problems(...codes: readonly string[]): object {
  const byStatus = new Map<number, string[]>();
  for (const code of codes) byStatus.set(statusOf(code), [...(byStatus.get(statusOf(code)) ?? []), code]);
  return Object.fromEntries([...byStatus].map(([status, of]) => [status, problemAnswer(of)]));
}

/** The refusal with one of these codes. */
export function problemAnswer(codes: readonly string[]): ProblemAnswer {
  return {
    description: codes.map((code) => `\`${code}\``).join(", "),
    content: { "application/problem+json": { schema: Problem } },
  };
}
