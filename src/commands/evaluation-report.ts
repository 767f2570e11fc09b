// An evaluation for the terminal and for machines.
import { countOf } from "../count.ts";
import type { DetectorInfo } from "../model/detector.ts";
import type { ClassResult, Curve, Evaluation } from "../training/evaluate.ts";

export interface Report extends Pick<DetectorInfo, "model" | "engine"> {
  /** The annotations. */
  readonly source: string;
  readonly evaluation: Evaluation;
}

/** What each figure is; pycocotools prints COCO's in this order. */
const MEANING: Readonly<Record<string, string>> = {
  AP: "average precision, IoU 0.50 to 0.95",
  AP50: "at IoU 0.50",
  AP75: "at IoU 0.75",
  APsmall: "of objects below 32 x 32 pixels",
  APmedium: "of objects in between",
  APlarge: "of objects above 96 x 96 pixels",
  AR1: "average recall, 1 detection a picture and class",
  AR10: "10 detections",
  AR100: "100 detections",
  ARsmall: "of objects below 32 x 32 pixels",
  ARmedium: "of objects in between",
  ARlarge: "of objects above 96 x 96 pixels",
  mAP2007: "mean average precision at eleven recalls (VOC2007), IoU 0.50",
  mAP2010: "mean area under the curve (VOC2010 and later), IoU 0.50",
};

/** One JSON object: figures at full precision, curves, which are for drawing, at four decimals. */
export function printForMachines({ model, engine, source, evaluation }: Report): void {
  const { found, pictures, objects, format, curves, classCurves, ...judged } = evaluation;
  const round = ({ name, precision }: Curve): Curve => ({
    name,
    precision: precision.map((value) => +value.toFixed(4)),
  });
  const drawn = { curves: curves.map(round), classCurves: classCurves.map(round) };
  const data = { format, source, pictures, objects };
  console.log(JSON.stringify({ model, engine, data, ...judged, ...drawn, detections: found.length }));
}

/** Figures, then a table of the classes, then the speed. */
export function printForPeople({ model, engine, source, evaluation }: Report): void {
  const { pictures, objects, classes, figures, speed } = evaluation;
  console.log(`${model.name} on ${engine}`);
  console.log(
    `${countOf(pictures, "image")} with ${countOf(objects, "object")} of ${countOf(classes.length, "class", "classes")}, ${source}\n`,
  );
  for (const [name, value] of Object.entries(figures))
    console.log(`  ${name.padEnd(9)} ${show(value)}   ${MEANING[name] ?? ""}`.trimEnd());
  console.log();
  for (const line of table(classes)) console.log(`  ${line}`);
  const { decodeMs, detectMs, batch } = speed;
  const times = `${detectMs.toFixed(1)} ms a picture to detect, ${decodeMs.toFixed(1)} ms to decode`;
  console.log(`\n${times}; ${batch} at once.`);
}

function table(classes: readonly ClassResult[]): string[] {
  const present = classes.filter(({ objects }) => objects > 0);
  const names = Object.keys(classes[0]?.figures ?? {});
  const width = Math.max(5, ...present.map(({ name }) => name.length));
  const head = ["class".padEnd(width), "objects", ...names.map((name) => name.padStart(6))].join("  ");
  const rows = present.map(({ name, objects, figures }) =>
    [name.padEnd(width), `${objects}`.padStart(7), ...names.map((key) => show(figures[key]!).padStart(6))].join("  "),
  );
  const absent = classes.length - present.length;
  return [head, ...rows, ...(absent > 0 ? [`${countOf(absent, "class has", "classes have")} no objects here`] : [])];
}

/** Three decimals, as papers print them; a dash where there is nothing to find. */
function show(value: number): string {
  return value < 0 ? "-".padStart(5) : value.toFixed(3);
}
