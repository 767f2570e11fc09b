// A source runs ffmpeg once and ends: frames of one stream, from a URL or a file. Retrying is supervise.ts's business.
import { Observable } from "rxjs";
import type { DropCause, Frame } from "./frame.ts";
import type { StreamConfig } from "./stream.ts";

/** What a source needs to know besides its stream. */
export interface SourceOptions {
  /** Wider pictures are scaled down to this width by ffmpeg. */
  readonly maxDecodeWidth: number;
  /** How many decoded pictures may be alive at once. */
  readonly poolSize: number;
  /** A picture was decoded, and will be emitted or dropped at once. */
  readonly onDecoded: () => void;
  /** The picture that was last decoded could not be kept. */
  readonly onDrop: (cause: DropCause) => void;
}

/**
 * One run of a source: cold, starts ffmpeg on subscription, kills it on unsubscription. Every frame that is emitted
 * is the receiver's to release. Completes when the input ends, fails with a MultiboxError that says why.
 */
export function openSource(_config: StreamConfig, _options: SourceOptions): Observable<Frame> {
  throw new Error("to be written");
}
