// Files that outlive a version of multibox name the format that they are in: `"format": 1`. Where the member is absent, it is 1.
import { MultiboxError } from "./errors.ts";

/** `content`: as parsed. Fails with FILE_NEWER where it is in a later format than this version reads; a schema checks the rest. */
export function requireFormat(content: unknown, name: string, known = 1): void {
  const format = (content as { readonly format?: unknown } | null | undefined)?.format;
  if (typeof format !== "number" || format <= known) return;
  throw new MultiboxError(
    "FILE_NEWER",
    `${name} was written by a newer multibox: its format is ${format}, and this version reads up to ${known}.`,
    "Run the newer multibox.",
  );
}

/** Takes `format` off what is stored with it. */
export function withoutFormat(content: unknown): unknown {
  if (typeof content !== "object" || content === null || Array.isArray(content)) return content;
  const { format: _format, ...rest } = content as { readonly format?: unknown };
  return rest;
}
