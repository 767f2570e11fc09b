// What a zod schema says against an input, as one sentence with the field and its value.
import type { z } from "zod";
import { redactUrl } from "../../redact.ts";

type Issue = z.core.$ZodIssue;

/** `"minScore" cannot be 7: Too big: expected number to be <=1.` Only the first issue: the next shows when it is mended. */
export function explain(error: z.ZodError, input: unknown): string {
  const issue = error.issues[0]!;
  if (issue.code === "unrecognized_keys") {
    const keys = issue.keys.map((key) => show(key)).join(", ");
    return issue.keys.length === 1 ? `${keys} is not a known field.` : `${keys} are not known fields.`;
  }
  const name = issue.path.length === 0 ? "The message" : `"${nameOf(issue.path)}"`;
  const value = issue.path.reduce<unknown>(
    (at, key) => (typeof at === "object" && at !== null ? (at as Record<PropertyKey, unknown>)[key] : undefined),
    input,
  );
  if (value === undefined) return `${name} is missing.`;
  return `${name} cannot be ${show(value)}: ${reason(issue)}.`;
}

/** A value as JSON, short, without passwords. */
export function show(value: unknown): string {
  const text = JSON.stringify(value, withoutPasswords) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

function withoutPasswords(_key: string, value: unknown): unknown {
  if (typeof value === "string") return redactUrl(value);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [redactUrl(key), inner]));
}

function nameOf(path: readonly PropertyKey[]): string {
  return path
    .map((key, i) => (typeof key === "number" ? `[${key}]` : `${i > 0 ? "." : ""}${redactUrl(String(key))}`))
    .join("");
}

function reason(issue: Issue): string {
  if (issue.code !== "invalid_union") return issue.message;
  if (issue.errors.length > 0) return issue.errors.map((branch) => branch[0]?.message ?? "").join("; or: ");
  return "options" in issue && Array.isArray(issue.options)
    ? `expected ${issue.options.map(show).join(" or ")}`
    : issue.message;
}
