// Entity tags: what a client that has an answer already is spared, and what it may say that it has seen.
import { createHash } from "node:crypto";
import type { Context, TypedResponse } from "hono";

/** The same for the same text. */
export function tagOf(text: string): string {
  return createHash("sha256").update(text).digest("base64url").slice(0, 22);
}

/** Whether If-None-Match or If-Match names a tag, among others and weakly too; `*` names any. */
export function namesTag(header: string, tag: string): boolean {
  return header.trim() === "*" || tagsIn(header).includes(tag);
}

/** The tags that If-Match names, without their quotes. */
export function tagsIn(header: string): string[] {
  return [...header.matchAll(/(?:W\/)?"([^"]*)"/g)].map(([, tag]) => tag!);
}

/** An answer in JSON with its tag, or 304 where the client has it. `prefix` begins the tag. */
export function taggedJson<T>(c: Context, value: T, prefix = ""): Response & TypedResponse<T, 200, "json"> {
  const text = JSON.stringify(value);
  const tag = prefix + tagOf(text);
  c.header("ETag", `"${tag}"`);
  // It may be kept, but not used again without asking, and by nobody else.
  c.header("Cache-Control", "private, no-cache");
  const response = namesTag(c.req.header("If-None-Match") ?? "", tag)
    ? c.body(null, 304)
    : c.body(text, 200, { "Content-Type": "application/json" });
  // 304 is no answer of its own: whoever asks with a tag has the other one.
  return response as unknown as Response & TypedResponse<T, 200, "json">;
}
