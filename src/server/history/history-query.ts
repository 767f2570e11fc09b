// Questions to the history: the frames of a time with what was on them, and how often labels were seen.
import type { FrameRecord } from "./frame-record.ts";
import { ALL_LABELS } from "./history-minutes.ts";
import type { HistoryStore } from "./history-store.ts";

export interface FindQuery {
  readonly stream: string;
  /** Milliseconds since the epoch, both included. */
  readonly from: number;
  readonly to: number;
  /** Only frames that have one of these, and of them only these detections. */
  readonly labels?: readonly string[] | undefined;
  /** Likewise. */
  readonly minScore?: number | undefined;
  /** Only frames after this number. */
  readonly after: number;
  readonly limit: number;
}

export interface Found {
  readonly records: FrameRecord[];
  /** Ask on with it as `after`; absent at the end. There may be more though no record was found yet. */
  readonly next?: number;
}

export interface StatsQuery {
  readonly stream: string;
  /** Milliseconds since the epoch; `from` is included, `to` is not. */
  readonly from: number;
  readonly to: number;
  /** Whole minutes, in milliseconds. */
  readonly interval: number;
}

/** `label` undefined: of all frames, whatever was on them. */
export interface Count {
  readonly start: number;
  readonly label: string | undefined;
  readonly frames: number;
  readonly detections: number;
}

/** Frames that are read for one answer, so that no question takes long; the next one goes on. */
const MOST_READ = 2000;
const PAGE = 250;

/** In order of `seq`. Looks only at minutes that have what is wanted. */
export function findFrames(store: HistoryStore, query: FindQuery): Found {
  const { stream, from, to, after, limit } = query;
  const records: FrameRecord[] = [];
  let read = 0;
  for (const [first, last] of rangesOf(store, query)) {
    for (let at = Math.max(after, first - 1); at < last;) {
      const page = store.read(stream, at, PAGE, last);
      if (page.length === 0) break;
      for (const record of page) {
        at = record.seq;
        read += 1;
        const wanted = record.time >= from && record.time <= to ? keepWanted(record, query) : undefined;
        if (wanted) records.push(wanted);
        if (records.length === limit || read === MOST_READ) return { records, next: at };
      }
    }
  }
  return { records };
}

/** One count for each interval and label in which there was something. */
export function countLabels(store: HistoryStore, { stream, from, to, interval }: StatsQuery): Count[] {
  const id = store.names.findStream(stream);
  if (id === undefined) return [];
  const minutes = interval / 60_000;
  const rows = store.db
    .prepare(
      `SELECT minute / ${minutes} AS slot, label, sum(frames), sum(detections) FROM minutes
       WHERE stream = ? AND minute >= ? AND minute < ? GROUP BY slot, label ORDER BY slot, label`,
    )
    .raw()
    .all(id, Math.floor(from / 60_000), Math.ceil(to / 60_000)) as [number, number, number, number][];
  return rows.map(([slot, label, frames, detections]) => ({
    start: slot * interval,
    label: label === ALL_LABELS ? undefined : store.names.label(label).label,
    frames,
    detections,
  }));
}

/** Ranges of `seq`, in order, without overlaps, in which there may be something. */
function rangesOf(
  store: HistoryStore,
  { stream, from, to, labels, minScore = 0, after }: FindQuery,
): [number, number][] {
  const id = store.names.findStream(stream);
  const ids = labels ? store.names.labelIds(labels) : [ALL_LABELS];
  if (id === undefined || ids.length === 0) return [];
  const rows = store.db
    .prepare(
      `SELECT first_seq, last_seq FROM minutes WHERE stream = ? AND minute BETWEEN ? AND ? AND last_seq > ? AND best >= ?
         AND label IN (${ids.map(() => "?").join(", ")}) ORDER BY first_seq`,
    )
    .raw()
    .all(id, Math.floor(from / 60_000), Math.floor(to / 60_000), after, minScore, ...ids) as [number, number][];
  const ranges: [number, number][] = [];
  for (const [first, last] of rows) {
    const before = ranges.at(-1);
    if (before && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else ranges.push([first, last]);
  }
  return ranges;
}

function keepWanted(record: FrameRecord, { labels, minScore }: FindQuery): FrameRecord | undefined {
  if (!labels && minScore === undefined) return record;
  const detections = record.detections.filter(
    ({ label, score }) => (!labels || labels.includes(label)) && score >= (minScore ?? 0),
  );
  return detections.length > 0 ? { ...record, detections } : undefined;
}
