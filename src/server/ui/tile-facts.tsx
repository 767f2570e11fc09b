// The numbers of a stream: rates, delay, and frames that were dropped, with their causes.
import type { JSX } from "preact";
import { formatCount, formatFps, type latencyOf } from "./format.ts";
import { dropsOf, explainDrop, type StreamView } from "./streams.ts";
import type { Detections } from "../protocol.ts";

interface TileFactsProps {
  readonly stream: StreamView;
  readonly latency: ReturnType<typeof latencyOf> | undefined;
  readonly timing: Detections["timing"] | undefined;
  /** Pictures that did not reach this page's screen. */
  readonly missed: number;
}

export function TileFacts({ stream, latency, timing, missed }: TileFactsProps): JSX.Element {
  const { fps, counts, width, height } = stream;
  return (
    <dl class="facts">
      <div title="Detected frames a second, of those decoded">
        <dt>Detected</dt>
        <dd>
          {formatFps(fps?.detected)} <span class="of">of {formatFps(fps?.decoded)} fps</span>
        </dd>
      </div>
      <div title={timing && latencyTitle(latency?.whole ?? false, timing)}>
        <dt>Delay</dt>
        <dd>{latency ? `${Math.round(latency.ms)} ms` : "–"}</dd>
      </div>
      {width !== undefined && height !== undefined && (
        <div
          title={counts && `${formatCount(counts.decoded)} frames decoded, ${formatCount(counts.detected)} detected`}
        >
          <dt>Size</dt>
          <dd>
            {width}×{height}
          </dd>
        </div>
      )}
      <Drops stream={stream} missed={missed} />
    </dl>
  );
}

function Drops({ stream, missed }: { readonly stream: StreamView; readonly missed: number }): JSX.Element {
  const { total, causes } = dropsOf(stream);
  const lines = causes.map(([cause, count]) => `${formatCount(count)} ${cause}: ${explainDrop(cause)}`);
  if (missed > 0) lines.push(`${formatCount(missed)} detected, but too late for this page's screen`);
  return (
    <div title={lines.join("\n") || "No frame was dropped"}>
      <dt>Dropped</dt>
      <dd>
        {formatCount(total)}
        {total > 0 && <span class="of"> {causes.map(([cause]) => cause).join(", ")}</span>}
      </dd>
    </div>
  );
}

function latencyTitle(whole: boolean, { queueMs, inferMs, totalMs }: Detections["timing"]): string {
  const server = `${Math.round(queueMs)} ms waiting, ${Math.round(inferMs)} ms detecting, ${Math.round(totalMs)} ms in the server`;
  return whole
    ? `From decoding to this screen. ${server}`
    : `In the server only, as its clock and this device's disagree. ${server}`;
}
