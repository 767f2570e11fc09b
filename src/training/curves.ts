// Draws precision over recall as an SVG that reads on light and dark pages.
import type { Curve } from "./evaluate.ts";
import { escapeMarkup } from "./report/markup.ts";

export interface CurvesFigure {
  readonly title: string;
  /** Thick, with a legend. */
  readonly curves: readonly Curve[];
  /** Thin, behind them; a pointer that rests on one shows its name. */
  readonly classCurves: readonly Curve[];
}

const WIDTH = 720;
const HEIGHT = 480;
const LEFT = 56;
const TOP = 44;
const SIDE_X = 520;
const SIDE_Y = 380;
/** Hue of the first and the last curve: from blue to orange, which the colour-blind tell apart. */
const HUES = [215, 30] as const;

const STYLE = `
    svg { --paper: #fff; --ink: #1b1f24; --faint: #d0d7de; --class: #8c959f; --light: 42%; }
    @media (prefers-color-scheme: dark) {
      svg { --paper: #0d1117; --ink: #e6edf3; --faint: #30363d; --class: #768390; --light: 65%; }
    }
    text { fill: var(--ink); font: 12px system-ui, sans-serif; }
    .paper { fill: var(--paper); } .grid { stroke: var(--faint); } path { fill: none; }
    .class { stroke: var(--class); opacity: 0.35; } .class:hover { opacity: 1; stroke-width: 2; }
    .mean { stroke-width: 2; }`;

/** The whole SVG document. */
export function drawCurves({ title, curves, classCurves }: CurvesFigure): string {
  const shown = curves.filter(({ precision }) => precision.every((value) => value >= 0));
  const ticks = Array.from({ length: 11 }, (_, i) => i / 10);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeMarkup(title)}">
  <style>${STYLE}
  </style>
  <rect class="paper" width="${WIDTH}" height="${HEIGHT}"/>
  <text x="${LEFT}" y="26" style="font-size: 15px">${escapeMarkup(title)}</text>
${ticks.map(drawTick).join("\n")}
  <text x="${LEFT + SIDE_X / 2}" y="${HEIGHT - 14}" text-anchor="middle">recall</text>
  <text transform="translate(16 ${TOP + SIDE_Y / 2}) rotate(-90)" text-anchor="middle">precision</text>
${classCurves.map(({ name, precision }) => drawCurve(name, precision, 'class="class"')).join("\n")}
${shown.map(({ name, precision }, i) => drawCurve(name, precision, `class="mean" ${colour(i, shown.length)}`)).join("\n")}
${shown.map(({ name }, i) => drawLegend(name, i, shown.length)).join("\n")}
  <text x="${LEFT + SIDE_X + 16}" y="${TOP + 24 + 20 * shown.length}">thin: single classes</text>
  <text x="${LEFT + SIDE_X + 16}" y="${TOP + 40 + 20 * shown.length}">at IoU 0.50</text>
</svg>
`;
}

function drawTick(share: number): string {
  const x = xOf(share);
  const y = yOf(share);
  return `  <path class="grid" d="M${x} ${TOP}V${TOP + SIDE_Y}M${LEFT} ${y}H${LEFT + SIDE_X}"/>
  <text x="${x}" y="${TOP + SIDE_Y + 18}" text-anchor="middle">${share}</text>
  <text x="${LEFT - 8}" y="${y + 4}" text-anchor="end">${share}</text>`;
}

/** Ends where precision has come down to 0: recall goes no further. */
function drawCurve(name: string, precision: readonly number[], attributes: string): string {
  const end = precision.findLastIndex((value) => value > 0) + 2;
  const points = precision.slice(0, end).map((value, i) => `${xOf(i / (precision.length - 1))} ${yOf(value)}`);
  return `  <path ${attributes} d="M${points.join("L")}"><title>${escapeMarkup(name)}</title></path>`;
}

function drawLegend(name: string, i: number, count: number): string {
  const x = LEFT + SIDE_X + 16;
  const y = TOP + 8 + 20 * i;
  return `  <path class="mean" ${colour(i, count)} d="M${x} ${y}h20"/><text x="${x + 28}" y="${y + 4}">${escapeMarkup(name)}</text>`;
}

function colour(i: number, count: number): string {
  const hue = HUES[0] + ((HUES[1] - HUES[0]) * i) / Math.max(1, count - 1);
  return `style="stroke: hsl(${hue.toFixed(0)} 75% var(--light))"`;
}

const xOf = (recall: number): number => round(LEFT + recall * SIDE_X);
const yOf = (precision: number): number => round(TOP + (1 - precision) * SIDE_Y);
const round = (value: number): number => Math.round(value * 10) / 10;
