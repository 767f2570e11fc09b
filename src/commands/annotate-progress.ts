// How far `multibox annotate` is: a bar where there is a terminal, else a line now and then, or events.
import { SingleBar } from "cli-progress";
import { countOf } from "../count.ts";
import type { VideoProgress } from "../annotate/annotate-video.ts";

export interface FileProgress extends VideoProgress {
  readonly file: string;
  /** Files that have ended before. */
  readonly ended: number;
}

/** What an event says; what is not known is absent. */
export interface ProgressFields {
  readonly file: string;
  readonly frames: number;
  readonly framesPerSecond: number;
  readonly percent?: number | undefined;
  readonly secondsLeft?: number | undefined;
}

export interface ShownProgress {
  /** `elapsed` is in seconds, of this file. */
  update(progress: FileProgress, elapsed: number): void;
  convert(file: string, format: string, share: number): void;
  fileEnded(file: string): void;
  /** A line that stays, above the bar. */
  line(text: string): void;
  close(): void;
}

/** Seldom enough for a log, and for a terminal to follow. */
const EVERY_MS = { lines: 10_000, events: 1000, bar: 200 };

export function showProgress(options: {
  readonly files: number;
  readonly onEvent?: (fields: ProgressFields) => void;
  /** Likewise, of a form that is being made of the finished lines. */
  readonly onConvertEvent?: (fields: {
    readonly file: string;
    readonly form: string;
    readonly percent: number;
  }) => void;
}): ShownProgress {
  const { files, onEvent, onConvertEvent } = options;
  const isTerminal = process.stderr.isTTY && !onEvent;
  const interval = onEvent ? EVERY_MS.events : isTerminal ? EVERY_MS.bar : EVERY_MS.lines;
  const last = new Map<string, number>();
  let bar: SingleBar | undefined;

  const draw = (percent: number | undefined, text: string): void => {
    if (!isTerminal) {
      if (!onEvent) console.error(text);
      return;
    }
    if (!bar) {
      const look = { barCompleteChar: "=", barIncompleteChar: " ", hideCursor: true, stream: process.stderr };
      bar = new SingleBar({ ...look, format: "[{bar}] {percentage}% {text}" });
      bar.start(100, 0, { text });
    }
    bar.update(percent ?? 0, { text });
  };
  const isDue = (file: string): boolean => {
    const now = performance.now();
    if (now - (last.get(file) ?? (isTerminal ? 0 : now)) < interval) {
      if (!last.has(file)) last.set(file, now);
      return false;
    }
    last.set(file, now);
    return true;
  };
  const close = (): void => {
    bar?.stop();
    bar = undefined;
  };

  return {
    update(progress, elapsed) {
      if (!isDue(progress.file)) return;
      const fields = fieldsOf(progress, elapsed);
      onEvent?.(fields);
      const place = files > 1 ? `${progress.ended + 1}/${files} ` : "";
      const { frames, framesPerSecond, percent, secondsLeft } = fields;
      const share = isTerminal || percent === undefined ? "" : `${percent}%, `;
      const left = secondsLeft === undefined ? "" : `, ${clock(secondsLeft)} left`;
      draw(
        percent,
        `${place}${progress.file}: ${share}${countOf(frames, "frame")}, ${framesPerSecond} frames/s${left}`,
      );
    },
    convert(file, format, share) {
      if (!isDue(file)) return;
      const percent = Math.round(share * 100);
      onConvertEvent?.({ file, form: format, percent });
      draw(percent, `${file}: writing ${format}`);
    },
    fileEnded: (file) => void last.delete(file),
    line(text) {
      close();
      console.error(text);
    },
    close,
  };
}

function fieldsOf({ file, frames, resumed, seconds, duration }: FileProgress, elapsed: number): ProgressFields {
  const rate = (frames - resumed) / elapsed;
  const share = duration ? Math.min(1, seconds / duration) : undefined;
  const left = share ? ((1 - share) * frames) / share / rate : undefined;
  return {
    file,
    frames,
    framesPerSecond: Math.round(rate * 10) / 10,
    percent: share === undefined ? undefined : Math.floor(share * 100),
    secondsLeft: left === undefined ? undefined : Math.round(left),
  };
}

function clock(seconds: number): string {
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${hours > 0 ? `${hours}:${two(minutes)}` : minutes}:${two(Math.floor(seconds) % 60)}`;
}
