// The form of a new stream as the server's request, and which of its options belong to the address.
import type { NewStream } from "../protocol.ts";

/** What kind of source an address names, as far as the form's options depend on it. */
export function kindOf(url: string): "rtsp" | "file" | "other" {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(url.trim())?.[1]?.toLowerCase();
  if (scheme === undefined) return url.trim() === "" ? "other" : "file";
  return scheme === "rtsp" || scheme === "rtsps" ? "rtsp" : "other";
}

export function newStreamOf(form: Pick<FormData, "get">): NewStream {
  const url = textOf(form, "url");
  return {
    id: textOf(form, "id"),
    url,
    loop: kindOf(url) !== "file" || form.get("loop") !== null,
    transport: textOf(form, "transport") === "udp" ? "udp" : "tcp",
  };
}

/** A text field's text without the space around it. */
export function textOf(form: Pick<FormData, "get">, name: string): string {
  const value = form.get(name);
  return typeof value === "string" ? value.trim() : "";
}
