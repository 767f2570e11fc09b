// The numbers of int8 arithmetic: scales and zero points from ranges, weights and biases in integers.

/** real = (integer - zeroPoint) * scale */
export interface Affine {
  readonly scale: number;
  readonly zeroPoint: number;
}

/** A convolution's weights and bias in integers, a scale for each output channel. */
export interface IntegerWeights {
  readonly weight: Int8Array;
  readonly weightScale: Float32Array;
  readonly bias: Int32Array;
  readonly biasScale: Float32Array;
}

/**
 * The uint8 numbers that stand for a range. Zero is always one of them, since padding is zero (Jacob et al., CVPR 2018,
 * section 2.1), so a range on one side of it is stretched to it. A range of nothing but zero gets room up to 1.
 */
export function affineOf([min, max]: readonly [number, number]): Affine {
  const low = Math.min(0, min);
  const high = Math.max(0, max);
  const scale = Math.fround((high - low || 1) / 255);
  return { scale, zeroPoint: Math.round((0 - low) / scale) };
}

/**
 * Symmetric int8, -127..127, a scale for each output channel: channels of depthwise convolutions differ by orders of magnitude
 * (Krishnamoorthi, 2018, section 3.1.2). The bias is int32 in units of the accumulator, input scale times weight scale.
 */
export function integerWeights(weight: Float32Array, bias: Float32Array, inputScale: number): IntegerWeights {
  const channels = bias.length;
  const size = weight.length / channels;
  const result: IntegerWeights = {
    weight: new Int8Array(weight.length),
    weightScale: new Float32Array(channels),
    bias: new Int32Array(channels),
    biasScale: new Float32Array(channels),
  };
  for (let channel = 0; channel < channels; channel++) {
    const from = channel * size;
    // Plain loops: there are millions of weights, and every start goes through them.
    let greatest = 0;
    for (let i = from; i < from + size; i++) greatest = Math.max(greatest, Math.abs(weight[i]!));
    // Half of int32 is left to the products; a channel whose weights are next to nothing gives up digits of them for its bias.
    const scale = Math.fround(Math.max(greatest / 127, Math.abs(bias[channel]!) / inputScale / 2 ** 30) || 1);
    result.weightScale[channel] = scale;
    for (let i = from; i < from + size; i++) result.weight[i] = Math.round(weight[i]! / scale);
    result.biasScale[channel] = inputScale * scale;
    result.bias[channel] = Math.round(bias[channel]! / result.biasScale[channel]!);
  }
  return result;
}
