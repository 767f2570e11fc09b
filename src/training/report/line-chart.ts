// Values over epochs as an SVG that takes its colours from the page around it.
import { escapeMarkup } from "./markup.ts";

export interface Line {
  readonly name: string;
  /** A value for each epoch from `from` on. */
  readonly values: readonly number[];
  readonly from: number;
  /** Whether it is only there to be compared with. */
  readonly faint?: boolean;
}

const WIDTH = 560;
const HEIGHT = 260;
const [LEFT, RIGHT, TOP, BOTTOM] = [48, 120, 30, 34];
const TICKS = 5;

/** The SVG element. Values begin at 0. */
export function drawLines(title: string, lines: readonly Line[]): string {
  const last = Math.max(1, ...lines.map(({ from, values }) => from + values.length - 1));
  const top = roundUp(Math.max(1e-9, ...lines.flatMap(({ values }) => values)));
  const xOf = (epoch: number): string => (LEFT + (epoch / last) * (WIDTH - LEFT - RIGHT)).toFixed(1);
  const yOf = (value: number): string => (HEIGHT - BOTTOM - (value / top) * (HEIGHT - TOP - BOTTOM)).toFixed(1);
  const ticks = Array.from({ length: TICKS }, (_, i) => (top * i) / (TICKS - 1));
  const step = Math.max(1, Math.ceil(last / 10));
  const epochs = Array.from({ length: Math.floor(last / step) + 1 }, (_, i) => i * step);
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeMarkup(title)}">
  <text x="${LEFT}" y="18" class="head">${escapeMarkup(title)}</text>
${ticks.map((value) => `  <path class="grid" d="M${LEFT} ${yOf(value)}H${WIDTH - RIGHT}"/><text x="${LEFT - 6}" y="${yOf(value)}" dy="4" text-anchor="end">${+value.toPrecision(3)}</text>`).join("\n")}
${epochs.map((epoch) => `  <text x="${xOf(epoch)}" y="${HEIGHT - 14}" text-anchor="middle">${epoch}</text>`).join("\n")}
${lines.map((line, i) => drawLine(line, i, xOf, yOf)).join("\n")}
</svg>`;
}

function drawLine(
  { name, values, from, faint }: Line,
  i: number,
  xOf: (epoch: number) => string,
  yOf: (value: number) => string,
): string {
  const points = values.map((value, at) => `${xOf(from + at)} ${yOf(value)}`);
  const kind = faint ? "faint" : `line${i}`;
  const y = TOP + 10 + i * 18;
  const legend = `<path class="${kind}" d="M${WIDTH - RIGHT + 10} ${y}h18"/><text x="${WIDTH - RIGHT + 34}" y="${y + 4}">${escapeMarkup(name)}</text>`;
  return `  <path class="${kind}" d="M${points.join("L")}"><title>${escapeMarkup(name)}</title></path>${legend}`;
}

/** The next of 1, 2, 2.5, 5 times a power of ten, so that ticks are numbers that people read. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * [1, 2, 2.5, 5, 10].find((factor) => factor * power >= value)!;
}
