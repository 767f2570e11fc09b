// The times of all frames of a file, read without decoding: so that a frame's index is known where those before it were left out.
import { resolve } from "node:path";
import { Writable } from "node:stream";
import { MultiboxError } from "../errors.ts";
import { runFfmpeg } from "../pipeline/ffmpeg.ts";
import { fileConfinement } from "../pipeline/file-formats.ts";
import type { Ffmpeg } from "../pipeline/find-ffmpeg.ts";
import type { Guard } from "../pipeline/guard.ts";

export interface Timeline {
  /** Place of the frame of this time among all that are shown. */
  indexOf(pts: number): number;
}

/** AVPacket's flag of what is decoded and not shown: what an edit list leaves out. */
const DISCARD = 4;

/** Decoding times of a sound file may be a little out of order. */
const JUMP_SECONDS = 0.5;

/** Fails with STREAM_NOT_VIDEO, and with KEYFRAMES_UNKNOWN where the file's clock goes back. */
export async function readTimeline(
  path: string,
  tools: { readonly ffmpeg: Ffmpeg; readonly guard: Guard },
): Promise<Timeline> {
  const times: number[] = [];
  let timeBase: readonly [number, number] = [1, 1];
  let rest = "";
  const readLine = (line: string): void => {
    const base = /^#tb 0: (\d+)\/(\d+)/.exec(line);
    if (base) timeBase = [Number(base[1]), Number(base[2])];
    if (line === "" || line.startsWith("#")) return;
    // stream, dts, pts, duration, size, checksum, and flags unless it is but a key frame.
    const fields = line.split(",").map((field) => field.trim());
    const flags = fields.find((field) => field.startsWith("F=0x"));
    const isShown = flags === undefined || (Number(flags.slice(2)) & DISCARD) === 0;
    if (isShown) times.push((Number(fields[2]) * timeBase[0]) / timeBase[1]);
  };
  let jumped = false;
  const readMessage = (line: string): void => {
    const [, before, after] = /[Nn]on-monoton\w+ DTS .*previous: (-?\d+), current: (-?\d+)/.exec(line) ?? [];
    jumped ||= ((Number(before) - Number(after)) * timeBase[0]) / timeBase[1] > JUMP_SECONDS;
  };
  const output = new Writable({
    autoDestroy: false,
    emitClose: false,
    decodeStrings: true,
    write(chunk: Buffer, _encoding, done) {
      const lines = `${rest}${chunk.toString("latin1")}`.split("\n");
      rest = lines.pop()!;
      for (const line of lines) readLine(line);
      done();
    },
  });
  const { code, stderrTail } = await runFfmpeg({
    ...tools,
    inputs: [{ url: `file:${resolve(path)}`, options: [...fileConfinement(), "-copyts"] }],
    outputOptions: "-map 0:V:0 -c copy -f framecrc".split(" "),
    output,
    onLine: readMessage,
  }).done;
  // A damaged file has times all the same; one that cannot be opened is explained by those who decode it.
  if (code !== 0 && times.length === 0)
    throw new MultiboxError(
      "STREAM_NOT_VIDEO",
      `${path} is no video that ffmpeg can read: ${stderrTail.at(-1) ?? ""}.`,
    );
  if (jumped)
    throw new MultiboxError(
      "KEYFRAMES_UNKNOWN",
      `The clock of ${path} goes back, so the numbers of its key frames are unknown.`,
      "Leave out --keyframes; --fps or --every choose fewer frames as well.",
    );
  const sorted = Float64Array.from(times).sort();
  return { indexOf: (pts) => lowerBound(sorted, pts - 1e-7) };
}

/** How many are smaller. */
function lowerBound(sorted: Float64Array, value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
