// What the page knows of the streams, and how each message changes it. Values in, values out.
import type { StreamEvent, StreamInfo } from "../protocol.ts";

/** A stream that was just announced is known by its id and state only, until the next list. */
export type StreamView = Pick<StreamInfo, "id" | "state" | "since" | "error"> & Partial<StreamInfo>;

/** A change of state. The place of a stream in the list never changes. */
export function applyEvent(streams: readonly StreamView[], event: StreamEvent): readonly StreamView[] {
  const { stream: id, state, since, error } = event;
  if (state === "removed") return streams.filter((stream) => stream.id !== id);
  const changed = { state, since, error };
  if (!streams.some((stream) => stream.id === id)) return [...streams, { id, ...changed }];
  return streams.map((stream) => (stream.id === id ? { ...stream, ...changed } : stream));
}

/** All drops of a stream, and the causes in words, most first. */
export function dropsOf(stream: StreamView): {
  readonly total: number;
  readonly causes: readonly (readonly [string, number])[];
} {
  const causes = Object.entries(stream.counts?.dropped ?? {}).filter(([, count]) => count > 0);
  causes.sort(([, a], [, b]) => b - a);
  return { total: causes.reduce((sum, [, count]) => sum + count, 0), causes };
}

/** What a cause means; an unknown one, of a newer server, stands for itself. */
export function explainDrop(cause: string): string {
  const words: Record<string, string> = {
    superseded: "a newer frame came before the detector was free",
    "no-buffer": "all picture buffers were in use",
    engine: "the detector failed",
    closed: "the stream was restarted or stopped",
  };
  return words[cause] ?? cause;
}

/** Detected frames a second over all streams. */
export function totalFps(streams: readonly StreamView[]): number {
  return streams.reduce((sum, stream) => sum + (stream.fps?.detected ?? 0), 0);
}
