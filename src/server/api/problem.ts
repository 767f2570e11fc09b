// Every failure as an HTTP answer of one shape: RFC 9457 problem details with our code and hint.
import { STATUS_CODES } from "node:http";
import { z } from "zod";
import { MultiboxError } from "../../errors.ts";
import { RetryLater } from "../access/failure-limit.ts";
import type { ErrorBody } from "./error-body.ts";

export const Problem = z
  .strictObject({
    type: z.string().describe("`urn:multibox:problem:` and the code."),
    title: z.string().describe("The status in words."),
    status: z.int().describe("The status of the answer."),
    code: z.string().describe("For programs: `STREAM_UNKNOWN`."),
    detail: z.string().describe("For people: a sentence with the offending value."),
    hint: z.string().describe("What to do; may be empty."),
  })
  .meta({ id: "Problem", description: "Why a request was refused (RFC 9457)." });
export type Problem = z.infer<typeof Problem>;

/** What is not here is our fault: 500. */
const STATUSES: Readonly<Record<string, number>> = {
  BAD_REQUEST: 400,
  STREAM_BAD_SCHEME: 400,
  STREAM_BAD_URL: 400,
  FILE_NOT_FOUND: 400,
  LABEL_UNKNOWN: 400,
  CAPTURE_INVALID: 400,
  FILE_NOT_READABLE: 400,
  STREAM_EMPTY: 400,
  STREAM_NOT_VIDEO: 400,
  BODY_EMPTY: 400,
  BODY_INCOMPLETE: 400,
  PICTURE_UNREADABLE: 400,
  TOKEN_WRONG: 401,
  TICKET_WRONG: 401,
  SCOPE_MISSING: 403,
  STREAMS_LIMITED: 403,
  STREAM_NOT_YOURS: 403,
  ADDRESS_FORBIDDEN: 403,
  FILE_NOT_ALLOWED: 403,
  ORIGIN_NOT_ALLOWED: 403,
  HOST_NOT_ALLOWED: 403,
  NOT_FOUND: 404,
  PAGE_NOT_BUILT: 404,
  STREAM_UNKNOWN: 404,
  CAPTURE_UNKNOWN: 404,
  JOB_UNKNOWN: 404,
  TRAINING_UNKNOWN: 404,
  RESULT_UNKNOWN: 404,
  MODEL_NOT_FOUND: 404,
  MODEL_UNKNOWN: 404,
  VERSION_UNKNOWN: 404,
  METHOD_NOT_ALLOWED: 405,
  STREAM_EXISTS: 409,
  MODEL_BUSY: 409,
  NO_PREVIOUS: 409,
  VERSION_IN_USE: 409,
  VERSION_NOT_OFFERED: 409,
  NO_ACCEPTED_CAPTURES: 409,
  NO_UNREVIEWED_CAPTURES: 409,
  PROPOSALS_RUNNING: 409,
  TRAINING_NOT_RESUMABLE: 409,
  FILE_NEWER: 409,
  STREAM_CHANGED: 412,
  CAPTURE_CHANGED: 412,
  BODY_TOO_LARGE: 413,
  PICTURE_TOO_LARGE: 413,
  CONTENT_TYPE: 415,
  RANGE_UNSATISFIABLE: 416,
  UPGRADE_NEEDED: 426,
  TOO_MANY_FAILURES: 429,
  TICKETS_EXHAUSTED: 429,
  STREAM_NO_FRAME: 503,
  HISTORY_OFF: 404,
  HISTORY_FAILED: 503,
  FOLDER_UNAVAILABLE: 503,
  STORE_DAMAGED: 503,
  STORE_NEWER: 503,
  STORE_UNAVAILABLE: 503,
  SERVER_BUSY: 503,
  SERVER_FULL: 503,
  ENGINE_CLOSED: 503,
  JPEG_CLOSED: 503,
  CAPTURES_FULL: 507,
  JOBS_FULL: 507,
  TRAININGS_FULL: 507,
  DISK_FULL: 507,
  NOT_WRITABLE: 507,
};

/** The HTTP status that goes with an error's code. */
export function statusOf(code: string): number {
  return STATUSES[code] ?? 500;
}

/** Anything thrown that is not a MultiboxError is a bug: the log gets its stack, the client only learns that it happened. */
export function problemOf(error: unknown): Problem {
  const { code, message, hint } = errorBody(error);
  const status = statusOf(code);
  return { type: `urn:multibox:problem:${code}`, title: STATUS_CODES[status]!, status, code, detail: message, hint };
}

export function problemResponse(error: unknown, more: Readonly<Record<string, string>> = {}): Response {
  const problem = problemOf(error);
  const headers = new Headers({ "content-type": "application/problem+json", "cache-control": "no-store", ...more });
  if (problem.status === 401) headers.set("www-authenticate", 'Bearer realm="multibox"');
  if (problem.status === 426) headers.set("upgrade", "websocket");
  if (problem.status === 503) headers.set("retry-after", "1");
  if (error instanceof RetryLater) headers.set("retry-after", String(error.retryAfter));
  return new Response(JSON.stringify(problem), { status: problem.status, headers });
}

/** The same over WebSocket. */
export function errorBody(error: unknown): ErrorBody {
  if (error instanceof MultiboxError) return { code: error.code, message: error.message, hint: error.hint };
  return {
    code: "INTERNAL",
    message: "The server failed at this; it is not your request's fault.",
    hint: "The server's log says more.",
  };
}
