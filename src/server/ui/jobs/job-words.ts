// How a job is doing, in words: sizes, times, and the line below its name.
import type { JobInfo } from "../../jobs/job-schemas.ts";
import { formatCount } from "../format.ts";

/** 1234567 -> 1.2 MB */
export function formatBytes(bytes: number): string {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let [value, unit] = [bytes, 0];
  while (value >= 1000 && unit < units.length - 1) [value, unit] = [value / 1000, unit + 1];
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${units[unit]}`;
}

/** 3725 -> 1:02:05 */
export function formatSeconds(seconds: number): string {
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const two = (value: number): string => String(Math.floor(value)).padStart(2, "0");
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

export function lineOf({ state, progress, frames, detections }: JobInfo): string {
  if (state === "queued") return "Waits for its turn";
  if (state === "done") {
    if (frames === undefined || detections === undefined) return "Done";
    return `${formatCount(frames)} frames, ${formatCount(detections)} detections`;
  }
  if (!progress) return "";
  if (progress.phase === "starting") return "Starting";
  const { framesExpected, framesPerSecond, secondsLeft, percent, form } = progress;
  if (progress.phase === "writing") return `Writing ${form ?? ""}${percent === undefined ? "" : `, ${percent} %`}`;
  const of = framesExpected === undefined ? "" : ` of about ${formatCount(framesExpected)}`;
  const rate = framesPerSecond === undefined ? "" : ` · ${framesPerSecond} frames/s`;
  const left = secondsLeft === undefined ? "" : ` · ${formatSeconds(secondsLeft)} left`;
  return `${formatCount(progress.frames)}${of} frames${rate}${left}`;
}

/** Of the detecting, 0..1; undefined while it cannot be told. */
export function shareOf({ progress }: Pick<JobInfo, "progress">): number | undefined {
  if (!progress || progress.phase === "starting") return undefined;
  if (progress.percent !== undefined) return progress.percent / 100;
  return progress.framesExpected ? Math.min(1, progress.frames / progress.framesExpected) : undefined;
}
