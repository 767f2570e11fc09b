// A colour for each label: the same label has the same hue on every stream, page, video and day.

/** The colours of one label. On the picture the label is dark text on `fill`; in the page it stands beside a swatch. */
export interface LabelColours {
  /** Bright: boxes and tags on the picture, legible with `TAG_TEXT` on it. */
  readonly fill: string;
  /** Middling: 3:1 and more against the light and the dark panel alike. */
  readonly swatch: string;
}

/** Text on a tag. */
export const TAG_TEXT = "#0b0e12";

const FILL_LUMINANCE = 0.46;
const SWATCH_LUMINANCE = 0.2;
const SATURATION = 0.9;
/** Searched for: with this start of the hash person, car, dog and bicycle lie at least 60 degrees apart, eight more 18. */
const SEED = 0x3a476079;

export function labelColours(label: string): LabelColours {
  const hue = labelHue(label);
  return { fill: hueAt(hue, FILL_LUMINANCE), swatch: hueAt(hue, SWATCH_LUMINANCE) };
}

/** 0..359, from the label's text alone (FNV-1a). */
export function labelHue(label: string): number {
  let hash = SEED;
  for (const byte of new TextEncoder().encode(label)) hash = Math.imul(hash ^ byte, 0x01000193);
  hash ^= hash >>> 15;
  return (hash >>> 0) % 360;
}

/** WCAG's relative luminance of `#rrggbb`, 0..1. */
export function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => linear(Number.parseInt(hex.slice(at, at + 2), 16) / 255));
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

/** WCAG's contrast ratio of two `#rrggbb`, 1..21. */
export function contrast(a: string, b: string): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high! + 0.05) / (low! + 0.05);
}

/** Hues differ much in how bright they look, so the lightness is searched that gives each the same luminance. */
function hueAt(hue: number, wanted: number): string {
  let [low, high] = [0, 1];
  for (let step = 0; step < 12; step += 1) {
    const middle = (low + high) / 2;
    if (luminance(hslToHex(hue, SATURATION, middle)) < wanted) low = middle;
    else high = middle;
  }
  return hslToHex(hue, SATURATION, (low + high) / 2);
}

function hslToHex(hue: number, saturation: number, lightness: number): string {
  const reach = saturation * Math.min(lightness, 1 - lightness);
  const channel = (offset: number): string => {
    const k = (offset + hue / 30) % 12;
    const value = lightness - reach * Math.max(-1, Math.min(k - 3, 9 - k, 1));
    return Math.round(value * 255)
      .toString(16)
      .padStart(2, "0");
  };
  return `#${channel(0)}${channel(8)}${channel(4)}`;
}

function linear(channel: number): number {
  return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
}
