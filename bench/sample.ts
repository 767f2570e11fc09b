// What does sampling a frame cost? The kernel beside the same arithmetic in plain JavaScript.
import { type YuvImage, pictureBytes } from "../src/model/detection.ts";
import { createSampler } from "../src/model/sample.ts";
import { sampleTaps } from "../src/model/sample/taps.ts";
import { SSDLITE_MOBILENET_V2 } from "../src/model/specs.ts";
import { plainSample } from "../test/support/plain-sample.ts";
import { measure, printMachine, printTable } from "./harness.ts";

const ROUNDS = 15;
const FRAMES = 96;
// More than a core's cache holds, as a pipeline has them.
const PICTURES = 16;

const { input } = SSDLITE_MOBILENET_V2;
const { width, height, resize } = input;
const out = new Uint8Array(width * height * 3);
const clamped = new Uint8ClampedArray(out.length);
const sample = createSampler(input);

printMachine();
console.log(`${FRAMES} frames a round, ${ROUNDS} rounds, YUV in shared memory to ${width} x ${height}, one thread\n`);

for (const [across, down] of [
  [640, 360],
  [768, 576],
  [1280, 720],
  [1920, 1080],
] as const) {
  const pictures = Array.from({ length: PICTURES }, (_, i) => gradient(across, down, i));
  const x = sampleTaps(across, width, resize);
  const y = sampleTaps(down, height, resize);
  const each = (work: (picture: YuvImage) => void) => async (): Promise<number> => {
    for (let i = 0; i < FRAMES; i++) work(pictures[i % PICTURES]!);
    return FRAMES;
  };
  const figures = await measure(
    [
      { name: `plain JavaScript, ${across} x ${down}`, run: each((picture) => plainSample(picture, x, y, clamped)) },
      { name: "kernel", run: each((picture) => sample(picture, out, 0)) },
    ],
    ROUNDS,
  );
  printTable(figures);
  console.log();
}

function gradient(across: number, down: number, shift: number): YuvImage {
  const bytes = pictureBytes("yuv420p", across, down);
  const data = new Uint8Array(new SharedArrayBuffer(bytes));
  for (let i = 0; i < bytes; i++) data[i] = 60 + ((i + shift) % 128);
  return { format: "yuv420p", width: across, height: down, data, colour: { matrix: "bt709", fullRange: false } };
}
