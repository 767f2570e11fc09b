// The server's HTTP interface, as far as the page uses it.
import type { NewStream, StreamInfo, StreamPatch, TicketAnswer } from "../protocol.ts";

/** A request that the server refused, or that did not reach it. */
export class ApiError extends Error {
  readonly status: number;
  readonly hint: string;
  /** The body of the answer, where there was one. */
  readonly answer: unknown;

  constructor(status: number, message: string, hint = "", answer?: unknown) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.hint = hint;
    this.answer = answer;
  }
}

export interface Api {
  list(): Promise<StreamInfo[]>;
  add(stream: NewStream): Promise<void>;
  change(id: string, patch: StreamPatch): Promise<void>;
  remove(id: string): Promise<void>;
  /** What stands for the token in one address, once. */
  ticket(): Promise<string>;
  /** Keeps the newest frame. */
  capture(id: string): Promise<void>;
}

/** One request with the token; fails with an ApiError. The answer's body is not read yet. */
export type Call = (
  method: string,
  path: string,
  body?: unknown,
  more?: Readonly<Record<string, string>>,
) => Promise<Response>;

/** `base` is the page's address; the token may change while the page is open. */
export function createCall(base: string, token: () => string | undefined, request: typeof fetch): Call {
  return async (method, path, body, more) => {
    const headers: Record<string, string> = { ...more };
    const secret = token();
    if (secret !== undefined) headers["authorization"] = `Bearer ${secret}`;
    if (body !== undefined) headers["content-type"] = "application/json";
    const sent = request(new URL(path, base), {
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
    });
    const response = await sent.catch(() => {
      throw new ApiError(0, "The server did not answer.", "See whether it is still running.");
    });
    if (response.ok) return response;
    throw errorOf(response.status, await response.json().catch(() => undefined));
  };
}

export function createApi(call: Call): Api {
  return {
    list: async () => (await (await call("GET", "v1/streams")).json()) as StreamInfo[],
    add: async (stream) => void (await call("POST", "v1/streams", stream)),
    change: async (id, patch) => void (await call("PATCH", `v1/streams/${encodeURIComponent(id)}`, patch)),
    ticket: async () => ((await (await call("POST", "v1/tickets")).json()) as TicketAnswer).ticket,
    capture: async (id) => void (await call("POST", `v1/streams/${encodeURIComponent(id)}/captures`)),
    remove: async (id) => void (await call("DELETE", `v1/streams/${encodeURIComponent(id)}`)),
  };
}

/** Refusals are problem details: the sentence is `detail`, what to do is `hint`. */
export function errorOf(status: number, answer: unknown): ApiError {
  if (typeof answer === "object" && answer !== null && "detail" in answer) {
    return new ApiError(status, String(answer.detail), "hint" in answer ? String(answer.hint) : "", answer);
  }
  return new ApiError(status, `The server answered with status ${status}.`);
}
