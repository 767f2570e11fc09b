// The one error that users see: a code, a sentence with the offending value, and what to do about it.
import { redactSecrets } from "./redact.ts";

/** A failure that is explained to the user, never with a secret of a URL. Everything else that is thrown is a bug and keeps its stack trace. */
export class MultiboxError extends Error {
  readonly code: string;
  /** What the user can do, as a sentence; empty when the message says it all. */
  readonly hint: string;

  constructor(code: string, message: string, hint = "", options?: ErrorOptions) {
    super(redactSecrets(message), options);
    this.name = "MultiboxError";
    this.code = code;
    this.hint = redactSecrets(hint);
  }

  /** `CODE: what happened. What to do.` */
  override toString(): string {
    return `${this.code}: ${this.message}${this.hint ? ` ${this.hint}` : ""}`;
  }
}

/** The sentence for anything that was thrown, `CODE: ...` where it has a code. */
export function sentenceOf(error: unknown): string {
  if (error instanceof MultiboxError) return error.toString();
  return error instanceof Error ? error.message : String(error);
}

/** A failed system call's code (`ENOENT`, `ENOSPC`), or undefined. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
