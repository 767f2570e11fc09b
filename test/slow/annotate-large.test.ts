// Very long and very large videos: memory depends on neither the number of frames nor, beyond a bound, their size.
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { read, run } from "../annotate/support/annotate.ts";
import { ffmpeg, LOSSLESS, makeFolder } from "../support/ffmpeg.ts";
import { runMultibox } from "../support/multibox.ts";

let folder: Awaited<ReturnType<typeof makeFolder>>;
const file = (name: string): string => join(folder.path, name);
beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => folder.remove());

const MB = 1 << 20;

it("100,000 frames: all are there, and memory stays as it was", async () => {
  await ffmpeg("-f lavfi -i testsrc=s=16x16:r=100:d=1000 -g 1000", LOSSLESS, file("long.mp4"));
  const resident: number[] = [];
  const onProgress = ({ frames }: { frames: number }): void => {
    if (frames % 20_000 === 0) resident.push(process.memoryUsage().rss);
  };
  const { frames } = await run(file("long.mp4"), file("long.jsonl"), { tools: { onProgress } });
  expect(frames).toBe(100_000);
  expect(resident.at(-1)! - resident[0]!).toBeLessThan(100 * MB);
});

it("8K: frames go through in small batches", async () => {
  await ffmpeg(
    "-f lavfi -i testsrc2=s=7680x4320:r=10:d=1.2 -c:v libx264 -preset ultrafast -pix_fmt yuv420p",
    file("8k.mp4"),
  );
  const { code, stderr } = await runMultibox(["annotate", file("8k.mp4"), "--engine", "onnx:cpu"]);
  expect([code, stderr]).toEqual([0, expect.stringContaining("12 frames") as string]);
  const { header, frames } = await read(file("8k.jsonl"));
  expect(header.source).toMatchObject({ width: 7680, height: 4320 });
  expect(header.settings.batch).toBe(1);
  expect(frames).toHaveLength(12);
});
