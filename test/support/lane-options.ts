// What a lane is told in tests, and what it tells.
import type { Frame } from "../../src/pipeline/frame.ts";
import { FramePool } from "../../src/pipeline/frame.ts";
import { InOrder } from "../../src/pipeline/in-order.ts";
import type { BatchReport, LaneOptions } from "../../src/pipeline/lane.ts";

/** Options of a lane whose frames are written down as `a0@1`: stream, index, version of the model. */
export function laneOptions(): LaneOptions & { readonly seen: string[]; readonly reports: BatchReport[] } {
  const seen: string[] = [];
  const reports: BatchReport[] = [];
  return {
    seen,
    reports,
    maxDelayMs: 0,
    maxAgeMs: 1000,
    weightOf: () => 1,
    order: new InOrder(),
    onDrop: (frame, cause) => seen.push(`${nameOf(frame)} ${cause}`),
    onFailed: (frames, { code }) => seen.push(...frames.map((frame) => `${nameOf(frame)} ${code}`)),
    onDetected: ({ frame, model }) => {
      seen.push(`${nameOf(frame)}@${model.version}`);
      frame.release();
    },
    onBatch: (report) => reports.push(report),
  };
}

const nameOf = ({ stream, index }: Frame): string => `${stream}${index}`;

/** Makes frames by name: the letter is the stream, the number the index; they are not live. */
export function createFrames(pool = createPool()): (name: string) => Frame {
  return (name) =>
    pool.tryTake()!.commit({ stream: name[0]!, index: Number(name.slice(1)), pts: 0, time: 0, live: false });
}

export function createPool(): FramePool {
  return new FramePool(2, 2, { matrix: "bt601", fullRange: false }, 1000);
}
