// Models and trainings in words: figures, dates, and the line below a training's name.
import type { TrainingInfo } from "../../trainings/training-schemas.ts";
import type { SplitRecord } from "../../../training/split-record.ts";
import { formatCount } from "../format.ts";
import { formatSeconds } from "../jobs/job-words.ts";

type Figures = Readonly<Record<string, number>>;

/** 0.3471 -> 34.7; a dash where there is none, or nothing to find. */
export function percent(value: number | undefined): string {
  return value === undefined || value < 0 ? "–" : (value * 100).toFixed(1);
}

/** `34.7 (+3.5)`: a figure, and what it is above its parent's. */
export function figureOf(name: string, metrics: Figures, parent: Figures | undefined): string {
  const [now, before] = [metrics[name], parent?.[name]];
  if (now === undefined || before === undefined || before < 0) return percent(now);
  const more = (now - before) * 100;
  return `${percent(now)} (${more >= 0 ? "+" : "−"}${Math.abs(more).toFixed(1)})`;
}

export function dateOf(time: string): string {
  return new Date(time).toLocaleString();
}

export function lineOf(training: TrainingInfo): string {
  const { state, progress } = training;
  if (state === "queued") return "Waits for its turn";
  if (state === "done") return endOf(training);
  if (!progress) return "";
  const { phase, pictures, epoch, epochs, step = 0, steps = 0, boxLoss, classLoss, secondsLeft } = progress;
  if (phase === "starting") return "Starting";
  if (phase === "looking") return `Reads the images: ${pictures?.done ?? 0} of ${pictures?.total ?? 0}`;
  if (!epoch) return "Judges what it begins with";
  const loss = boxLoss === undefined ? "" : ` · loss ${boxLoss.toFixed(3)} box + ${(classLoss ?? 0).toFixed(3)} class`;
  const left = secondsLeft === undefined ? "" : ` · ${formatSeconds(secondsLeft)} left`;
  return `Epoch ${epoch} of ${epochs ?? 0} · step ${formatCount(step)} of ${formatCount(steps)}${loss}${left}`;
}

function endOf({ name, version, offered, verdict, bestEpoch, stoppedEarly }: TrainingInfo): string {
  const made = version === undefined ? "Done" : `Made version ${version} of ${name}`;
  const isUnchanged = bestEpoch === 0;
  const best = isUnchanged ? ": nothing was learned, no epoch was better than the start" : "";
  const why = isUnchanged ? "not offered" : notOffered(verdict);
  const early = stoppedEarly === true ? ", ended early because it became no better" : "";
  return `${made}${best}${early}${offered === false ? `; kept, but ${why}` : ""}`;
}

function notOffered(verdict: TrainingInfo["verdict"]): string {
  if (!verdict) return "not offered, because it is worse";
  if (verdict.outcome === "not judged") return "not judged: there are too few validation images or objects";
  return "not offered, because it may be worse";
}

/** Of the pictures while they are looked at, then of the steps, 0..1; undefined while it cannot be told. */
export function shareOf({ progress }: Pick<TrainingInfo, "progress">): number | undefined {
  if (progress?.phase === "looking" && progress.pictures) {
    return progress.pictures.done / Math.max(1, progress.pictures.total);
  }
  return progress?.steps ? (progress.step ?? 0) / progress.steps : undefined;
}

/** What it is trained on. */
export function sourceOf({ captures, data, pictures, split }: TrainingInfo): string {
  const of =
    captures === undefined ? (data ?? "") : `${formatCount(captures)} ${captures === 1 ? "capture" : "captures"}`;
  if (!pictures) return of;
  const gap = split && split.gap > 0 ? `, ${formatCount(split.gap)} in the gap between` : "";
  const how = split ? SPLIT[split.by] : "";
  return `${of}: ${formatCount(pictures.training)} to train on, ${formatCount(pictures.validation)} to validate${gap}${how}`;
}

const SPLIT: Readonly<Record<SplitRecord["by"], string>> = {
  time: " (the last in time)",
  order: " (the last in order)",
  hash: " (groups of look-alikes)",
  day: " (whole days)",
  validation: "",
};
