// Who asks, and how far that reaches: the scope of a token, and the streams that it is limited to.
import type { Context } from "hono";
import { MultiboxError } from "../../errors.ts";

/** Each scope includes those before it. read: see. write: change streams, captures, jobs. admin: tokens, models, trainings. */
export const SCOPES = ["read", "write", "admin"] as const;
export type Scope = (typeof SCOPES)[number];

export interface Caller {
  /** For logs: the token's name. */
  readonly name: string;
  readonly scope: Scope;
  /** Only these streams exist for the caller; all when absent. */
  readonly streams?: ReadonlySet<string> | undefined;
  /** Of a token in the database; absent for the token of the settings, and where none is needed. */
  readonly tokenId?: string | undefined;
}

/** Whoever reaches a server that listens on a loopback address and has no token. */
export const ANYONE: Caller = { name: "anyone", scope: "admin" };

/** Whoever has the token of the settings. */
export const OWNER: Caller = { name: "the setting token", scope: "admin" };

declare module "hono" {
  interface ContextVariableMap {
    /** Set for every route that needs a scope, before its handler. */
    caller: Caller;
  }
}

export function callerOf(c: Context): Caller {
  return c.get("caller");
}

export function sees(caller: Caller, stream: string): boolean {
  return caller.streams?.has(stream) ?? true;
}

/** Fails with SCOPE_MISSING. */
export function requireScope(caller: Caller, scope: Scope): void {
  if (SCOPES.indexOf(caller.scope) >= SCOPES.indexOf(scope)) return;
  throw new MultiboxError(
    "SCOPE_MISSING",
    `This needs the scope "${scope}", and the token "${caller.name}" has only "${caller.scope}".`,
    `Use a token of that scope: \`multibox token create NAME --scope ${scope}\` makes one.`,
  );
}

/** For what is of no one stream, or of all: fails with STREAMS_LIMITED. */
export function requireAllStreams(caller: Caller): void {
  if (!caller.streams) return;
  throw new MultiboxError(
    "STREAMS_LIMITED",
    `This concerns all streams, and the token "${caller.name}" is limited to some.`,
    "Use a token that was made without --streams.",
  );
}

/** For a stream that is to be made. Fails with STREAM_NOT_YOURS. */
export function requireStream(caller: Caller, stream: string): void {
  if (sees(caller, stream)) return;
  throw new MultiboxError(
    "STREAM_NOT_YOURS",
    `The token "${caller.name}" may not add a stream "${stream}".`,
    `It may add: ${[...caller.streams!].join(", ")}.`,
  );
}
