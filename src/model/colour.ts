// How luma and chroma make RGB, by a picture's colour tags.
import type { ColourTags } from "./detection.ts";

/** red = l + redV * v, green = l - greenU * u - greenV * v, blue = l + blueU * u, with l = (y - black) * luma and u, v about 0. */
export interface ColourWeights {
  readonly black: number;
  readonly luma: number;
  readonly redV: number;
  readonly greenU: number;
  readonly greenV: number;
  readonly blueU: number;
}

/** Kr and Kb of ITU-R BT.601, BT.709 and BT.2020. */
const LUMA_SHARES = { bt601: [0.299, 0.114], bt709: [0.2126, 0.0722], bt2020: [0.2627, 0.0593] } as const;

/** The weights for samples of 0..255. Limited range has luma 16..235 and chroma 16..240. */
export function colourWeights({ matrix, fullRange }: ColourTags): ColourWeights {
  const [kr, kb] = LUMA_SHARES[matrix];
  const kg = 1 - kr - kb;
  const chroma = fullRange ? 1 : 255 / 224;
  return {
    black: fullRange ? 0 : 16,
    luma: fullRange ? 1 : 255 / 219,
    redV: 2 * (1 - kr) * chroma,
    greenU: ((2 * (1 - kb) * kb) / kg) * chroma,
    greenV: ((2 * (1 - kr) * kr) / kg) * chroma,
    blueU: 2 * (1 - kb) * chroma,
  };
}
