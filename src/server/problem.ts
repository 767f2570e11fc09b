// Every failure as an HTTP answer of one shape: RFC 9457 problem details with our code and hint.
import { STATUS_CODES } from "node:http";
import { MultiboxError } from "../errors.ts";
import type { ErrorBody } from "./protocol.ts";

interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly hint: string;
}

/** What is not here is our fault: 500. */
const STATUSES: Readonly<Record<string, number>> = {
  BAD_REQUEST: 400,
  STREAM_BAD_SCHEME: 400,
  FILE_NOT_FOUND: 400,
  LABEL_UNKNOWN: 400,
  BODY_EMPTY: 400,
  BODY_INCOMPLETE: 400,
  PICTURE_UNREADABLE: 400,
  TOKEN_WRONG: 401,
  FILE_NOT_ALLOWED: 403,
  ORIGIN_NOT_ALLOWED: 403,
  HOST_NOT_ALLOWED: 403,
  NOT_FOUND: 404,
  PAGE_NOT_BUILT: 404,
  STREAM_UNKNOWN: 404,
  STREAM_EXISTS: 409,
  BODY_TOO_LARGE: 413,
  PICTURE_TOO_LARGE: 413,
  CONTENT_TYPE: 415,
  UPGRADE_NEEDED: 426,
  STREAM_NO_FRAME: 503,
  SERVER_BUSY: 503,
  ENGINE_CLOSED: 503,
  JPEG_CLOSED: 503,
};

/** Anything thrown that is not a MultiboxError is a bug: the log gets its stack, the client only learns that it happened. */
function problemOf(error: unknown): Problem {
  const { code, message, hint } = errorBody(error);
  const status = STATUSES[code] ?? 500;
  return { type: `urn:multibox:problem:${code}`, title: STATUS_CODES[status]!, status, code, detail: message, hint };
}

export function problemResponse(error: unknown): Response {
  const problem = problemOf(error);
  const headers = new Headers({ "content-type": "application/problem+json", "cache-control": "no-store" });
  if (problem.status === 401) headers.set("www-authenticate", 'Bearer realm="multibox"');
  if (problem.status === 426) headers.set("upgrade", "websocket");
  if (problem.status === 503) headers.set("retry-after", "1");
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
