// Where an image stands in time: the stream that it is from and its place in that stream, from its capture or from its file name.
import { dirname, parse } from "node:path";
import type { DataPicture } from "./truth.ts";

export interface Moment {
  /** Images of one stream are in one order. */
  readonly stream: string;
  /** Seconds since the epoch, or a number that only gives the order. */
  readonly at: number;
  readonly unit: "seconds" | "number";
  /** `2026-11-25`, of seconds. */
  readonly day?: string | undefined;
}

/** A file name without its ending and without what Roboflow adds behind it, `_jpg.rf.1a2b3c`. */
export function originalStem(stem: string): string {
  return stem.replace(/_(?:jpe?g|png)\.rf\.[\da-z]+$/i, "");
}

/** Ids of captures, behind what Label Studio may put before them: `20261125T101500123-yard-42`. */
const CAPTURE_ID = /(?<!\d)(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})-(.+)-(\d+)$/;

/** A date with a time: `cam1_2026-11-25_10-15-00`, `20261125101500`, `2026-11-25T10:15:00.250`. Separators are the same throughout each part. */
const DATE_TIME =
  /(?<!\d)((?:19|20)\d\d)([-_.]?)(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01])[-_. T]*([01]\d|2[0-3])([-_.:h]?)([0-5]\d)[-_.:m]?([0-5]\d)(?:[-_.,]?(\d{3}))?(?!\d)/i;

/** The last number in a name: `f0008`, `cam1_frame_000123`. */
const NUMBER = /^(.*?)(\d+)(\D*)$/s;

/** The stream of captures that were imported from a data set. Their times are those of the import. */
const IMPORT = "import";

/** Undefined where neither a capture nor the file name says anything. */
export function momentOf({ file, captured }: Pick<DataPicture, "file" | "captured">): Moment | undefined {
  if (captured && !captured.imported)
    return { stream: captured.stream, at: captured.time, unit: "seconds", day: dayOf(captured.time) };
  const stem = originalStem(parse(file).name);
  const folder = dirname(file);
  const capture = CAPTURE_ID.exec(stem);
  if (capture) {
    const at = secondsOf(capture.slice(1, 8));
    const stream = `${folder}/${capture[8]!}`;
    if (at !== undefined && capture[8] !== IMPORT) return { stream, at, unit: "seconds", day: dayOf(at) };
    if (at !== undefined) return { stream, at: at * 1000 + Number(capture[9]) / 1e6, unit: "number" };
  }
  const dated = DATE_TIME.exec(stem);
  if (dated) {
    const [text, year, , month, day, hour, , minute, second, millisecond = "0"] = dated;
    const at = secondsOf([year!, month!, day!, hour!, minute!, second!, millisecond]);
    const after = stem.slice(dated.index + text.length).replace(/[-_. ]?\d+$/, "");
    const stream = `${folder}/${stem.slice(0, dated.index)}*${after}`;
    if (at !== undefined) return { stream, at, unit: "seconds", day: dayOf(at) };
  }
  const numbered = NUMBER.exec(stem);
  if (!numbered) return undefined;
  return { stream: `${folder}/${numbered[1]!}*${numbered[3]!}`, at: Number(numbered[2]), unit: "number" };
}

/** Undefined for a date that does not exist. */
function secondsOf(parts: readonly string[]): number | undefined {
  const [year, month, day, hour, minute, second, millisecond] = parts.map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const date = new Date(Date.UTC(year, month - 1, day, hour, minute, second, millisecond));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? date.getTime() / 1000 : undefined;
}

/** In UTC: `2026-11-25`. */
export function dayOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 10);
}
