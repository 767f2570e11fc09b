// Convolution weights in TensorFlow's order of axes.
import type { Tensor } from "../weights/safetensors.ts";

/** [out, in, height, width] -> [height, width, in, out]. */
export function kernel({ shape, data }: Tensor): Tensor {
  const [out, each, height, width] = shape as readonly [number, number, number, number];
  const moved = new Float32Array(data.length);
  let from = 0;
  for (let o = 0; o < out; o++)
    for (let i = 0; i < each; i++)
      for (let at = 0; at < height * width; at++) moved[(at * each + i) * out + o] = data[from++]!;
  return { shape: [height, width, each, out], data: moved };
}

/** [channels * many, 1, height, width] -> [height, width, channels, many]. */
export function depthwiseKernel(weight: Tensor, channels: number): Tensor {
  const { shape, data } = kernel(weight);
  const [height, width, , out] = shape as readonly [number, number, number, number];
  return { shape: [height, width, channels, out / channels], data };
}
