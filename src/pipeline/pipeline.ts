// All streams of one detector: add, remove, watch. Sources -> batches -> detector -> detected frames, with their books.
import type { Observable } from "rxjs";
import type { Detected } from "./frame.ts";
import type { StreamConfig, StreamCounts, StreamStatus } from "./stream.ts";

export interface Pipeline {
  /** Hot. A frame may be used during the emission; whoever needs it longer retains it and releases it. */
  readonly detected: Observable<Detected>;
  /** Hot: each change of a stream's state. */
  readonly statuses: Observable<StreamStatus>;
  /** Hot: ids of streams that were removed. */
  readonly removed: Observable<string>;
  /** Starts a stream at once. Fails with STREAM_EXISTS or STREAM_BAD_SCHEME. */
  add(config: StreamConfig): void;
  /** Stops a stream and frees what it held; STREAM_UNKNOWN when there is none. */
  remove(id: string): Promise<void>;
  /** How each stream is doing, in the order they were added. */
  list(): StreamStatus[];
  /** STREAM_UNKNOWN when there is none. */
  status(id: string): StreamStatus;
  counts(id: string): StreamCounts;
  /** Frames a second over the last five seconds. */
  rates(id: string): { readonly decoded: number; readonly detected: number };
  /** Stops all streams, finishes or drops what is in flight. Idempotent. */
  close(): Promise<void>;
}
