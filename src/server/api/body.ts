// Reads request bodies, never more than allowed.
import type { z } from "zod";
import { MultiboxError } from "../../errors.ts";
import { explain } from "./explain.ts";

export interface ReadBodyOptions {
  /** Called with what each part adds. */
  readonly onBytes?: (count: number) => void;
  /** Ends the reading; its reason, an error, is thrown. */
  readonly signal?: AbortSignal;
}

/** Fails with BODY_TOO_LARGE as soon as it is known, by the announced length or by what has come; with BODY_INCOMPLETE. */
export async function readBody(
  request: Request,
  limit: number,
  { onBytes, signal }: ReadBodyOptions = {},
): Promise<Buffer> {
  if (Number(request.headers.get("content-length") ?? 0) > limit) throw tooLarge(limit);
  if (!request.body) return Buffer.alloc(0);
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = request.body.getReader();
  // What is read ends with it, and may be waited for.
  signal?.addEventListener("abort", () => void reader.cancel().catch(() => undefined), { once: true });
  for (;;) {
    const { done, value } = await reader.read().catch(incomplete);
    signal?.throwIfAborted();
    if (done) return Buffer.concat(chunks);
    size += value.length;
    if (size > limit) throw tooLarge(limit);
    chunks.push(value);
    onBytes?.(value.length);
    signal?.throwIfAborted();
  }
}

/** A body that is JSON. Fails with CONTENT_TYPE, BODY_TOO_LARGE, BODY_INCOMPLETE or BAD_REQUEST. */
export async function readJsonText(request: Request, types: readonly string[], limit: number): Promise<string> {
  requireType(request, types);
  const text = (await readBody(request, limit)).toString("utf8");
  checkJson(text);
  return text;
}

/** The input as the schema makes it. Fails with the given code. */
export function check<T extends z.ZodType>(schema: T, input: unknown, code: string, hint = ""): z.output<T> {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  throw new MultiboxError(code, explain(result.error, input), hint);
}

/** Fails with CONTENT_TYPE when the body is announced as something else. */
export function requireType(request: Request, types: readonly string[]): void {
  const type = request.headers.get("content-type")?.split(";", 1)[0]?.trim().toLowerCase();
  if (type !== undefined && types.includes(type)) return;
  throw new MultiboxError(
    "CONTENT_TYPE",
    type === undefined
      ? "The request does not say what its body is."
      : `A body of type "${type}" is not understood here.`,
    `Send the header Content-Type: ${types.join(" or ")}.`,
  );
}

function checkJson(text: string): void {
  try {
    JSON.parse(text);
  } catch (error) {
    // V8 quotes the text around the fault, which may be a URL with its password.
    throw new MultiboxError("BAD_REQUEST", "The body is not JSON.", "Check its quotes, commas and brackets.", {
      cause: error,
    });
  }
}

function incomplete(cause: unknown): never {
  throw new MultiboxError("BODY_INCOMPLETE", "The connection ended before the body did.", "", { cause });
}

function tooLarge(limit: number): MultiboxError {
  const size = limit >= 1_048_576 ? `${limit / 1_048_576} MiB` : `${limit / 1024} KiB`;
  return new MultiboxError("BODY_TOO_LARGE", `The body has more than ${size}.`, "Send less.");
}
