// The form that changes a stream, as the server's request: only what was changed is in it.
import type { StreamPatch } from "../protocol.ts";
import { textOf } from "./new-stream.ts";
import type { StreamView } from "./streams.ts";

/** What the form shows of a stream. The address is as the server tells it, without user name and password. */
export function formOf({ url = "", settings }: Pick<StreamView, "url" | "settings">): Readonly<Record<Field, string>> {
  const { maxFps, priority, minScore, labels } = settings ?? {};
  const text = (value: number | undefined): string => (value === undefined ? "" : String(value));
  return {
    url,
    maxFps: text(maxFps),
    priority: text(priority),
    minScore: text(minScore),
    labels: labels?.join(", ") ?? "",
  };
}

/**
 * What differs from the form as it was shown: so an address that was left alone keeps its password, and what somebody
 * else has changed meanwhile stays changed. A field that was emptied takes its setting back.
 */
export function changesIn(form: Pick<FormData, "get">, shown: ReturnType<typeof formOf>): StreamPatch {
  const changed = FIELDS.filter((name) => textOf(form, name) !== shown[name]);
  return Object.fromEntries(changed.map((name) => [name, valueOf(name, textOf(form, name))]));
}

const FIELDS = ["url", "maxFps", "priority", "minScore", "labels"] as const;
type Field = (typeof FIELDS)[number];

function valueOf(name: Field, text: string): string | number | string[] | null {
  if (name === "url") return text;
  if (text === "") return null;
  if (name !== "labels") return Number(text);
  const labels = text.split(",").map((label) => label.trim());
  return labels.filter((label) => label !== "");
}
