// What `multibox annotate` says while it works: a bar on a terminal, plain lines elsewhere, or events for machines.
import { countOf } from "../count.ts";
import type { FileResult, FileTools } from "../annotate/annotate-file.ts";
import type { VideoProgress } from "../annotate/annotate-video.ts";
import { MultiboxError, sentenceOf } from "../errors.ts";
import { type ShownProgress, showProgress } from "./annotate-progress.ts";

type OnProgress = NonNullable<FileTools["onProgress"]>;
type OnConvert = NonNullable<FileTools["onConvert"]>;
type OnWarning = NonNullable<FileTools["onWarning"]>;

export interface AnnotateReport {
  /** Runs the work on one file and says how it went; false where it failed. */
  watch(
    file: string,
    work: (onProgress: OnProgress, onConvert: OnConvert, onWarning: OnWarning) => Promise<FileResult>,
  ): Promise<boolean>;
  /** About the call as a whole. */
  warn(warning: MultiboxError): void;
  /** The last failure. */
  readonly error: unknown;
  /** What an interruption has left, in words. */
  readonly kept: string;
  summary(): void;
  /** Gives the terminal back. Idempotent. */
  close(): void;
}

interface Row {
  readonly file: string;
  readonly result: string;
  readonly frames: number;
  readonly detections: number;
  readonly seconds: number;
}

export function createReport({ json, files }: { readonly json: boolean; readonly files: number }): AnnotateReport {
  const rows: Row[] = [];
  let error: unknown;
  let ended = 0;
  let unfinished = 0;
  const begun = performance.now();
  const event = (name: string, fields: object): void => console.log(JSON.stringify({ event: name, ...fields }));
  const shown: ShownProgress = showProgress({
    files,
    ...(json && {
      onEvent: (fields) => event("progress", fields),
      onConvertEvent: (fields) => event("convert", fields),
    }),
  });

  const done = (file: string, { outputs, video }: FileResult, seconds: number): void => {
    const warning = video?.damage.warning(file);
    if (warning) warn(file, warning);
    for (const change of video?.changes.warnings(file) ?? []) warn(file, change);
    const frames = video?.frames ?? 0;
    const fresh = frames - (video?.resumed ?? 0);
    const result = video ? (warning ? "done, damaged" : "done") : "was there";
    rows.push({ file, result, frames, detections: video?.detections ?? 0, seconds });
    const framesPerSecond = round(fresh / seconds);
    const figures = {
      frames,
      resumed: video?.resumed ?? 0,
      detections: video?.detections ?? 0,
      seconds: round(seconds),
      framesPerSecond,
    };
    if (json)
      event("done", { file, state: video ? "done" : "there", ...figures, damage: video?.damage.places ?? [], outputs });
    else if (video)
      shown.line(`${file}: ${countOf(frames, "frame")}, ${framesPerSecond} frames/s -> ${outputs.join(", ")}`);
    else shown.line(`${file}: everything is there`);
  };
  const warn = (file: string | undefined, { code, message }: MultiboxError): void => {
    if (json) event("warning", { ...(file !== undefined && { file }), code, message });
    else shown.line(`warning: ${message}`);
  };
  const failed = (file: string, cause: unknown, seconds: number): void => {
    error = cause;
    const code = cause instanceof MultiboxError ? cause.code : "FAILED";
    if (code === "INTERRUPTED") unfinished += 1;
    rows.push({ file, result: code === "INTERRUPTED" ? "interrupted" : "failed", frames: 0, detections: 0, seconds });
    const { message, hint } = cause instanceof MultiboxError ? cause : { message: sentenceOf(cause), hint: "" };
    if (json) event("failed", { file, code, message, hint });
    // The only file's failure is what the command ends with.
    else if (files > 1 && code !== "INTERRUPTED") shown.line(`${file}: ${sentenceOf(cause)}`);
  };

  return {
    warn: (warning) => warn(undefined, warning),
    get error() {
      return error;
    },
    get kept() {
      return unfinished === 0 ? "nothing was begun" : "what is done is kept";
    },
    async watch(file, work) {
      const start = performance.now();
      const secondsSince = (): number => (performance.now() - start) / 1000;
      if (json) event("start", { file });
      const onProgress = (progress: VideoProgress): void => shown.update({ file, ended, ...progress }, secondsSince());
      try {
        const onConvert: OnConvert = (format, share) => shown.convert(file, format, share);
        const onWarning: OnWarning = (message) => warn(file, new MultiboxError("OUTPUT_CHANGED", message));
        done(file, await work(onProgress, onConvert, onWarning), secondsSince());
        return true;
      } catch (cause) {
        failed(file, cause, secondsSince());
        return false;
      } finally {
        ended += 1;
        shown.fileEnded(file);
      }
    },
    summary() {
      shown.close();
      const good = rows.filter(({ result }) => result.startsWith("done") || result === "was there").length;
      const seconds = (performance.now() - begun) / 1000;
      const frames = rows.reduce((sum, row) => sum + row.frames, 0);
      // ffmpeg's own memory is not in it. The system counts in kilobytes.
      const peakMegabytes = Math.round(process.resourceUsage().maxRSS / 1024);
      const counts = { files, done: good, failed: rows.length - good, frames };
      if (json) event("summary", { ...counts, seconds: round(seconds), peakMegabytes });
      else if (files > 1)
        console.log(table(rows, `${good} of ${files} done, ${countOf(frames, "frame")} in ${seconds.toFixed(1)} s`));
    },
    close: () => shown.close(),
  };
}

const round = (value: number): number => (Number.isFinite(value) ? Math.round(value * 10) / 10 : 0);

function table(rows: readonly Row[], last: string): string {
  const width = Math.max(...rows.map(({ file }) => file.length), "video".length);
  const line = (file: string, result: string, frames: string, detections: string, seconds: string): string =>
    `${file.padEnd(width)}  ${result.padEnd(13)} ${frames.padStart(9)} ${detections.padStart(11)} ${seconds.padStart(8)}`;
  const lines = rows.map((row) =>
    line(row.file, row.result, String(row.frames), String(row.detections), row.seconds.toFixed(1)),
  );
  return ["", line("video", "result", "frames", "detections", "seconds"), ...lines, "", last].join("\n");
}
