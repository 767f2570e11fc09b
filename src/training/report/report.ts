// What a training came to, as one HTML file without scripts and without anything that is fetched: for people, and to be kept with the model.
import { basename } from "node:path";
import { countOf } from "../../count.ts";
import { drawCurves } from "../curves.ts";
import type { Evaluation } from "../evaluate.ts";
import { splitSentence } from "../split-words.ts";
import type { TrainResult } from "../train.ts";
import { drawExamples, someOf } from "./examples.ts";
import { drawLines } from "./line-chart.ts";
import { escapeMarkup } from "./markup.ts";
import { IOU, SCORE, worseImages } from "./worse.ts";

const EXAMPLES = 8;
/** Images on which it became worse. */
const WORSE = 6;

const STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --faint: #d0d7de; --a: #0969da; --b: #bc4c00; --c: #1a7f37; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #0d1117; --faint: #30363d; --a: #58a6ff; --b: #f0883e; --c: #56d364; } }
body { background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; } td, th { padding: .15rem .8rem .15rem 0; text-align: left; border-bottom: 1px solid var(--faint); }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; } td:last-child { overflow-wrap: anywhere; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(22rem, 1fr)); gap: 1rem; } .charts svg { width: 100%; }
svg text { fill: var(--ink); font: 12px system-ui, sans-serif; } svg .head { font-size: 14px; font-weight: 600; }
.grid { stroke: var(--faint); } path { fill: none; } .line0 { stroke: var(--a); stroke-width: 2; } .line1 { stroke: var(--b); stroke-width: 2; }
.line2 { stroke: var(--c); stroke-width: 2; } .faint { stroke: var(--ink); stroke-dasharray: 3 4; opacity: .6; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: .5rem; max-width: 50rem; } figure { margin: 0 0 1rem; } figure svg { width: 100%; }
rect { fill: none; vector-effect: non-scaling-stroke; stroke-width: 2; } .truth { stroke: #fff; stroke-dasharray: 5 4; } .ignored { opacity: .5; }
.found { stroke: #ff9e1b; } svg .tag { fill: #fff; paint-order: stroke; stroke: #000; stroke-width: .2em; font-weight: 600; }`;

/** The file's text. `title` is how the model is called. */
export async function drawReport(title: string, result: TrainResult): Promise<string> {
  const { facts, history, evaluation, parentEvaluation, bestEpoch, stoppedEarly, data } = result;
  const learnt = history.filter(({ epoch }) => epoch > 0);
  const values = (key: string): number[] => history.map(({ figures }) => Math.max(0, figures[key]!));
  const charts = [
    drawLines("Loss over epochs", [
      { name: "classes", from: 1, values: learnt.map(({ classLoss }) => classLoss!) },
      { name: "boxes", from: 1, values: learnt.map(({ boxLoss }) => boxLoss!) },
    ]),
    drawLines("On the validation images", [
      { name: "AP", from: 0, values: values("AP") },
      { name: "AP50", from: 0, values: values("AP50") },
      { name: "AP before", from: 0, values: history.map(() => Math.max(0, facts.parentMetrics["AP"]!)), faint: true },
    ]),
    drawLines("Learning rate", [{ name: "rate", from: 1, values: learnt.map(({ lr }) => lr) }]),
    drawCurves({ title: "Precision over recall, after", ...evaluation }),
  ];
  const { validation } = data;
  const sides = { validation, before: parentEvaluation.found, after: evaluation.found };
  const examples = await drawExamples({ ...sides, images: someOf(validation, EXAMPLES, 1) });
  const warnings = [...data.warnings, ...evaluation.failures].map((text) => `<li>${escapeMarkup(text)}</li>`).join("");
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeMarkup(title)}</title>
<style>${STYLE}
</style>
<h1>${escapeMarkup(title)}</h1>
<p>Trained ${escapeMarkup(facts.created.slice(0, 16).replace("T", " "))} UTC from ${escapeMarkup(facts.parent)} on
${countOf(data.training.pictures.length, "image")}; validated on ${data.validation.pictures.length} others with ${countOf(evaluation.objects, "object")}.
${splitSentence(data.split)} The model is of epoch ${bestEpoch}.${stoppedEarly ? " Training stopped early, because it became no better." : ""}
<strong>The new model is ${facts.verdict.outcome}.</strong> ${escapeMarkup(facts.verdict.reason)}</p>
<div class="charts">${charts.join("\n")}</div>
<h2>Figures</h2>
${figuresTable(parentEvaluation, evaluation)}
<h2>Labels</h2>
${labelsTable(parentEvaluation, evaluation)}
${likeness(facts.settings["like"])}<h2>What got worse</h2>
${await drawWorse(result)}
<h2>Examples</h2>
<p>Dashed: what is there, with its name below. Orange: what is found, with a score of at least 35.</p>
${examples}
${warnings === "" ? "" : `<h2>Warnings</h2><ul>${warnings}</ul>`}
<h2>Settings</h2>
${table(
  ["setting", "value"],
  Object.entries({ ...facts.settings, data: facts.data.hash }).map(([name, value]) => [
    name,
    typeof value === "string" ? value : JSON.stringify(value),
  ]),
)}
</html>
`;
}

/** Labels whose AP fell, and the images with the most mistakes more than before. */
async function drawWorse({ evaluation, parentEvaluation, data: { validation } }: TrainResult): Promise<string> {
  const earlier = new Map(parentEvaluation.classes.map(({ name, figures }) => [name, figures["AP"]!]));
  const labels = evaluation.classes
    .filter(({ name, objects, figures }) => objects > 0 && figures["AP"]! < earlier.get(name)!)
    .map(({ name, figures }) => `${name} (${signed(figures["AP"]! - earlier.get(name)!)})`);
  const worse = worseImages(validation, parentEvaluation.found, evaluation.found);
  const rule = `with a score of at least ${SCORE} and an intersection over union of at least ${IOU}`;
  const sentences = [
    labels.length === 0 ? "The AP of no label fell." : `AP fell for ${labels.join(", ")}.`,
    `On ${worse.length} of ${countOf(validation.pictures.length, "image")} there are more mistakes than before, counted ${rule}.`,
  ];
  const rows = worse
    .slice(0, WORSE)
    .map(({ image, before, after }) => [
      basename(image.file),
      `${before.right} right, ${before.wrong} wrong`,
      `${after.right} right, ${after.wrong} wrong`,
    ]);
  const images = worse.slice(0, WORSE).map(({ image }) => image);
  const drawn = await drawExamples({ validation, before: parentEvaluation.found, after: evaluation.found, images });
  return [
    `<p>${escapeMarkup(sentences.join(" "))}</p>`,
    ...(rows.length === 0 ? [] : [table(["image", "before", "after"], rows), drawn]),
  ].join("\n");
}

function figuresTable(before: Evaluation, after: Evaluation): string {
  const rows = Object.entries(after.figures).map(([name, value]) => {
    const earlier = before.figures[name]!;
    return [name, percent(earlier), percent(value), value < 0 ? "" : signed(value - earlier)];
  });
  return table(["figure", "before", "after", "change"], rows);
}

function labelsTable(before: Evaluation, after: Evaluation): string {
  const earlier = new Map(before.classes.map(({ name, figures }) => [name, figures["AP"]!]));
  const rows = after.classes
    .filter(({ objects }) => objects > 0)
    .map(({ name, objects, figures }) => {
      const [was, is] = [earlier.get(name)!, figures["AP"]!];
      return [name, String(objects), percent(was), percent(is), signed(is - was)];
    });
  return table(["label", "objects", "AP before", "AP after", "change"], rows);
}

/** What stands for a new label before. */
function likeness(like: unknown): string {
  const each = Object.entries((like ?? {}) as Record<string, string>).map(
    ([label, old]) =>
      `The parent does not know ${label}: its ${old} stands for it before, and is what the training began with.`,
  );
  return each.map((sentence) => `<p>${escapeMarkup(sentence)}</p>\n`).join("");
}

/** All columns but the first are numbers where they look so. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cell = (tag: string, text: string, i: number): string =>
    `<${tag}${i > 0 && head.length > 2 ? ' class="number"' : ""}>${escapeMarkup(text)}</${tag}>`;
  const line = (tag: string, cells: readonly string[]): string =>
    `<tr>${cells.map((text, i) => cell(tag, text, i)).join("")}</tr>`;
  return `<table>${line("th", head)}\n${rows.map((row) => line("td", row)).join("\n")}</table>`;
}

const percent = (value: number): string => (value < 0 ? "-" : (value * 100).toFixed(1));
const signed = (value: number): string => `${value >= 0 ? "+" : ""}${(value * 100).toFixed(1)}`;
