// What `multibox train` shows: a bar and a line an epoch on a terminal, lines in a log, or events for machines.
import { SingleBar } from "cli-progress";
import { countOf } from "../count.ts";
import { splitSentence } from "../training/split-words.ts";
import type { TrainResult } from "../training/train.ts";
import type { TrainProgress } from "../training/train-events.ts";

export interface ShownTraining {
  readonly tell: (event: TrainProgress) => void;
  /** `folder`: where the model is, as `--model` names it. */
  readonly end: (result: TrainResult, folder: string) => void;
  /** Idempotent. */
  readonly close: () => void;
}

/** Between two lines about steps, where there is no terminal. */
const LINE_MS = 10_000;

export function showTraining(json: boolean): ShownTraining {
  if (json)
    return { tell: printEvent, end: (result, folder) => printEvent(lastEvent(result, folder)), close: () => {} };
  let bar: SingleBar | undefined;
  let told = performance.now();
  const close = (): void => {
    bar?.stop();
    bar = undefined;
  };
  /** What is under way: a bar where there is a terminal, a line now and then elsewhere. */
  const progress = (done: number, total: number, text: string): void => {
    if (!process.stderr.isTTY) {
      if (performance.now() - told < LINE_MS) return;
      told = performance.now();
      console.error(`${done}/${total} ${text}`);
      return;
    }
    if (!bar) {
      const look = { barCompleteChar: "=", barIncompleteChar: " ", hideCursor: true, stream: process.stderr };
      bar = new SingleBar({ ...look, format: "[{bar}] {value}/{total} {text}, {eta_formatted} left" });
      bar.start(total, done, { text });
    }
    bar.setTotal(total);
    bar.update(done, { text });
  };
  const line = (text: string): void => {
    close();
    console.error(text);
  };
  return {
    tell(event) {
      switch (event.type) {
        case "look":
          progress(event.done, event.total, "images read");
          break;
        case "start": {
          const { training, validation, split, labels, known, like, engine, epochs, steps, resumed, unlabelled } =
            event;
          for (const warning of event.warnings) line(`warning: ${warning}`);
          const labelled = `${countOf(labels.length, "label")}, ${known.length} of which the model knew`;
          line(`${countOf(training, "image")} to train on, ${validation} to validate; ${labelled}.`);
          if (split) line(splitSentence(split));
          if (unlabelled.length > 0)
            line(`${countOf(unlabelled.length, "label")} of the model without an object in the training images.`);
          for (const [label, old] of Object.entries(like)) line(`New is ${label}, which begins as ${old}.`);
          line(`${countOf(epochs, "epoch")} of ${countOf(steps, "step")} on ${engine}.`);
          if (resumed > 0) line(`Goes on after step ${resumed}.`);
          break;
        }
        case "parent":
          line(`before: ${figuresOf(event.figures)}`);
          break;
        case "step": {
          const { step, steps, epoch, boxLoss, classLoss } = event;
          progress(step, steps, `epoch ${epoch}: loss ${loss(boxLoss)} box + ${loss(classLoss)} class`);
          break;
        }
        case "epoch": {
          const { epoch, epochs, boxLoss, classLoss, figures, seconds, best } = event;
          const losses = epoch === 0 ? "" : `loss ${loss(boxLoss)} + ${loss(classLoss)}, ${seconds.toFixed(0)} s, `;
          line(`epoch ${epoch}/${epochs}: ${losses}${figuresOf(figures)}${best ? " *" : ""}`);
          break;
        }
        case "checkpoint":
      }
    },
    end({ facts, bestEpoch, stoppedEarly, evaluation, history }, folder) {
      close();
      const [before, after] = [facts.parentMetrics["AP"]!, facts.metrics["AP"]!];
      for (const failure of evaluation.failures) console.error(failure);
      if (stoppedEarly) console.log("It ended early, because it became no better.");
      if (bestEpoch === 0) {
        console.log(
          `Nothing was learned: no epoch was better than the start. AP ${percent(before)} before, ${percent(after)} now.`,
        );
        const what = facts.offered ? "The start with its new labels is in" : "The unchanged start is in";
        console.log(`${what} ${folder}, with report.html${facts.offered ? "" : ", and is not offered"}.`);
        return;
      }
      const best = history.findLast((record) => record.best)!;
      const which =
        best.epoch === bestEpoch
          ? "which was the best"
          : `the last; the best, epoch ${best.epoch} with ${percent(best.figures["AP"]!)}, is not clearly better`;
      console.log(`AP ${percent(before)} before, ${percent(after)} after epoch ${bestEpoch}, ${which}.`);
      console.log(`The new model is ${facts.verdict.outcome}. ${facts.verdict.reason}`);
      console.log(`The model is in ${folder}, with report.html; for example: multibox serve --model ${folder}`);
    },
    close,
  };
}

function printEvent(event: object): void {
  console.log(JSON.stringify(event));
}

function lastEvent(result: TrainResult, folder: string): object {
  const { type, facts, bestEpoch, stoppedEarly } = result;
  const peakMegabytes = Math.round(process.resourceUsage().maxRSS / 1024);
  const { user, system } = process.cpuUsage();
  const cpuSeconds = Math.round((user + system) / 1e6);
  const before = new Map(result.parentEvaluation.classes.map(({ name, figures }) => [name, figures["AP"]!]));
  const labels = result.evaluation.classes.map(({ name, objects, figures }) => {
    return { name, objects, parentAP: before.get(name)!, AP: figures["AP"]! };
  });
  return { type, folder, bestEpoch, stoppedEarly, peakMegabytes, cpuSeconds, labels, ...facts };
}

function figuresOf({ AP, AP50 }: Readonly<Record<string, number>>): string {
  return `AP ${percent(AP!)}, AP50 ${percent(AP50!)}`;
}

const loss = (value: number | null): string => (value ?? 0).toFixed(3);
const percent = (value: number): string => (value < 0 ? "-" : (value * 100).toFixed(1));
