// A stream as the database has it: whole, or with what is wrong with it where another version, or a damaged row, left it unusable.
import { MultiboxError } from "../../errors.ts";
import type { StreamFault } from "../../pipeline/running-stream.ts";
import type { StreamConfig } from "../../pipeline/stream.ts";
import { explain } from "../api/explain.ts";
import { NewStream } from "../protocol.ts";

export interface StoredStream {
  readonly config: StreamConfig;
  /** Why it cannot run as it is stored. */
  readonly fault?: StreamFault | undefined;
}

/**
 * Reads a row. The settings of an unusable one are those that are valid by themselves, and its URL as it is, so that it can be listed,
 * changed and removed like any other.
 */
export function storedStream(id: string, json: string): StoredStream {
  const stored = parse(json);
  if (!isRecord(stored))
    return { config: salvaged(id, {}), fault: streamFault(id, "its settings are not JSON", ["url"]) };
  const whole = NewStream.safeParse({ ...stored, id });
  if (whole.success) return { config: whole.data };
  const bad = Object.entries(NewStream.shape).filter(([name, schema]) => !schema.safeParse(stored[name]).success);
  const why = explain(whole.error, stored).replace(/\.$/, "");
  return {
    config: salvaged(id, stored),
    fault: streamFault(
      id,
      why,
      bad.map(([name]) => name),
    ),
  };
}

/** `fields`: those that a change has to set before the stream is started. */
export function streamFault(id: string, why: string, fields: readonly string[]): StreamFault {
  const hint = `Change it with PATCH /v1/streams/${id}, or remove it with DELETE.`;
  return {
    error: new MultiboxError("STREAM_INVALID", `The stored stream "${id}" cannot be used: ${why}.`, hint),
    fields,
  };
}

function salvaged(id: string, stored: Readonly<Record<string, unknown>>): StreamConfig {
  const valid = Object.entries(NewStream.shape).flatMap(([name, schema]) => {
    const { data } = schema.safeParse(Object.hasOwn(stored, name) ? stored[name] : undefined);
    return data === undefined ? [] : [[name, data] as const];
  });
  const { url } = stored;
  return { loop: true, transport: "tcp", ...Object.fromEntries(valid), id, url: typeof url === "string" ? url : "" };
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
