// Photometric distortion as in Caffe's release of SSD (after Howard, "Some improvements on deep convolutional neural network based image
// classification", 2013): brightness, contrast, saturation and hue, each half of the time.

/** What is done to colours: nothing where a number is absent. */
export interface Distortion {
  /** Added to each colour, of 255. */
  readonly brightness?: number;
  readonly contrast?: number;
  readonly saturation?: number;
  /** Degrees. */
  readonly hue?: number;
  /** Whether contrast comes before saturation and hue, or behind them. */
  readonly contrastFirst: boolean;
}

const SHARE = 0.5;
const BRIGHTNESS = 32;
const FACTORS = [0.5, 1.5] as const;
const HUE = 18;

export function drawDistortion(next: () => number): Distortion {
  const maybe = (from: number, to: number): number | undefined =>
    next() < SHARE ? from + next() * (to - from) : undefined;
  const [brightness, contrast] = [maybe(-BRIGHTNESS, BRIGHTNESS), maybe(...FACTORS)];
  const [saturation, hue] = [maybe(...FACTORS), maybe(-HUE, HUE)];
  return {
    ...(brightness !== undefined && { brightness }),
    ...(contrast !== undefined && { contrast }),
    ...(saturation !== undefined && { saturation }),
    ...(hue !== undefined && { hue }),
    contrastFirst: next() < SHARE,
  };
}

/** Distorts the RGB at `at` in place; colours are cut to 0..255 after each step, as they are where they are bytes. */
export function distortPixel(rgb: Uint8Array, at: number, distortion: Distortion): void {
  const { brightness, contrast, saturation, hue, contrastFirst } = distortion;
  let [r, g, b] = [rgb[at]!, rgb[at + 1]!, rgb[at + 2]!] as [number, number, number];
  if (brightness !== undefined) [r, g, b] = [limit(r + brightness), limit(g + brightness), limit(b + brightness)];
  if (contrast !== undefined && contrastFirst)
    [r, g, b] = [limit(r * contrast), limit(g * contrast), limit(b * contrast)];
  if (saturation !== undefined || hue !== undefined) [r, g, b] = turn(r, g, b, saturation ?? 1, hue ?? 0);
  if (contrast !== undefined && !contrastFirst)
    [r, g, b] = [limit(r * contrast), limit(g * contrast), limit(b * contrast)];
  rgb[at] = Math.round(r);
  rgb[at + 1] = Math.round(g);
  rgb[at + 2] = Math.round(b);
}

function limit(value: number): number {
  return value < 0 ? 0 : value > 255 ? 255 : value;
}

/** Through hue, saturation and value. */
function turn(r: number, g: number, b: number, factor: number, degrees: number): [number, number, number] {
  const value = Math.max(r, g, b);
  const spread = value - Math.min(r, g, b);
  if (spread === 0) return [r, g, b];
  const sixth = value === r ? (g - b) / spread : value === g ? 2 + (b - r) / spread : 4 + (r - g) / spread;
  const hue = (((sixth + degrees / 60) % 6) + 6) % 6;
  const chroma = Math.min(1, (spread / value) * factor) * value;
  const colour = (n: number): number => {
    const k = (n + hue) % 6;
    return value - chroma * Math.max(0, Math.min(k, 4 - k, 1));
  };
  return [colour(5), colour(3), colour(1)];
}
