// What bench/annotate.ts compares with: ffmpeg pipes RGB, @tensorflow-models/coco-ssd on WebAssembly detects. Prints frames and seconds.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { load } from "@tensorflow-models/coco-ssd";
import * as tf from "@tensorflow/tfjs";
import "@tensorflow/tfjs-backend-wasm";

interface ModelFile {
  readonly modelTopology: object;
  readonly weightsManifest: readonly { readonly paths: string[]; readonly weights: tf.io.WeightsManifestEntry[] }[];
}

const [folder, video, width, height, limit, out, ffmpegPath] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
  string,
  string,
];
await tf.setBackend("wasm");
const { modelTopology, weightsManifest } = JSON.parse(await readFile(join(folder, "model.json"), "utf8")) as ModelFile;
const shards = await Promise.all(
  weightsManifest.flatMap(({ paths }) => paths.map((path) => readFile(join(folder, path)))),
);
const weightData = new Uint8Array(Buffer.concat(shards)).buffer;
const weightSpecs = weightsManifest.flatMap(({ weights }) => weights);
// It takes whatever `loadGraphModel` takes, though its types say a URL.
const modelUrl = tf.io.fromMemory({ modelTopology, weightSpecs, weightData }) as unknown as string;
const model = await load({ modelUrl });

const start = performance.now();
const frameBytes = Number(width) * Number(height) * 3;
const ffmpeg = spawn(
  ffmpegPath,
  ["-v", "error", "-i", video, "-frames:v", limit, "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"],
  {
    stdio: ["ignore", "pipe", "inherit"],
  },
);
const lines = createWriteStream(out);
let frames = 0;
let rest: Buffer[] = [];
let held = 0;
for await (const chunk of ffmpeg.stdout as AsyncIterable<Buffer>) {
  rest.push(chunk);
  held += chunk.length;
  while (held >= frameBytes) {
    const all = Buffer.concat(rest);
    const picture = tf.tensor3d(
      new Uint8Array(all.subarray(0, frameBytes)),
      [Number(height), Number(width), 3],
      "int32",
    );
    lines.write(`${JSON.stringify({ index: frames, detections: await model.detect(picture, 20, 0.3) })}\n`);
    picture.dispose();
    frames += 1;
    rest = [all.subarray(frameBytes)];
    held = all.length - frameBytes;
  }
}
await once(lines.end(), "close");
console.log(JSON.stringify({ frames, seconds: (performance.now() - start) / 1000 }));
