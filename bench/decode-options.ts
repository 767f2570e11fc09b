// What does decoding 1080p cost with options of ffmpeg's that save work, and what do pictures that were decoded so lose in AP?
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findFfmpeg } from "../src/pipeline/find-ffmpeg.ts";
import { DATA, median, printMachine, streetVideo } from "./harness.ts";

const PICTURES = Number(process.argv[2] ?? 192);
const ROUNDS = 3;
/** Each picture is shown for so many frames, while the camera pans by so many pixels a frame; the last one is judged. */
const FRAMES = Number(process.argv[3] ?? 12);
const PAN = 4;
const [WIDTH, HEIGHT] = [1920, 1080];
const MARGIN = (FRAMES - 1) * PAN;

const OPTIONS: Readonly<Record<string, string>> = {
  "two threads, as annotate does": "-threads 2",
  "one thread": "-threads 1",
  "slice threads": "-threads 2 -thread_type slice",
  "no loop filter on frames that no other needs": "-threads 2 -skip_loop_filter noref",
  "no loop filter but on key frames": "-threads 2 -skip_loop_filter nokey",
  "no loop filter": "-threads 2 -skip_loop_filter all",
};

interface Coco {
  images: { id: number; file_name: string; width: number; height: number }[];
  annotations: { image_id: number; bbox: number[]; area: number }[];
}

const data = join(DATA, "coco/val");
const scratch = mkdtempSync(join(tmpdir(), "multibox-bench-"));
const ffmpeg = (await findFfmpeg()).path;
const run = (...args: string[]): void =>
  void execFileSync(ffmpeg, ["-nostdin", "-v", "error", "-y", ...args], { stdio: ["ignore", "inherit", "inherit"] });

try {
  printMachine();
  const coco = JSON.parse(readFileSync(join(data, "instances.json"), "utf8")) as Coco;
  const images = coco.images.slice(0, PICTURES);
  const video = panningVideo(images);
  const street = await streetVideo(ffmpeg, HEIGHT, 4);
  console.log(
    `\n${images.length} pictures of COCO, ${FRAMES} frames each, and a street, H.264 at ${WIDTH} x ${HEIGHT}\n`,
  );
  console.log("| | AP | core-ms a frame of the street | ratio |\n|---|---|---|---|");
  const times = Object.keys(OPTIONS).map(() => [] as number[]);
  for (let round = 0; round < ROUNDS; round++)
    for (const [i, options] of Object.values(OPTIONS).entries()) times[i]!.push(coreMs(street, options));
  const base = median(times[0]!);
  for (const [i, [name, options]] of Object.entries(OPTIONS).entries()) {
    const ms = median(times[i]!);
    const ap = judge(video, options, { ...coco, images });
    console.log(`| ${name} | ${ap.toFixed(4)} | ${ms.toFixed(2)} | ${(ms / base).toFixed(2)} |`);
  }
} finally {
  rmSync(scratch, { recursive: true });
}

/** Each picture as large as it fits, with black beside it, and the view moving to the right. */
function panningVideo(images: Coco["images"]): string {
  const [wide, video] = [WIDTH + MARGIN, join(scratch, "video.mp4")];
  for (const [i, { file_name: name }] of images.entries()) {
    const shown = `scale=${WIDTH}:${HEIGHT}:force_original_aspect_ratio=decrease,pad=${wide}:${HEIGHT}:(ow-iw)/2:(oh-ih)/2`;
    const filter = `${shown},loop=${FRAMES - 1}:1:0,setpts=N/25/TB,crop=${WIDTH}:${HEIGHT}:n*${PAN}:0`;
    const encode = `-r 25 -frames:v ${FRAMES} -c:v libx264 -preset veryfast -pix_fmt yuv420p`;
    run("-i", join(data, "images", name), "-vf", filter, ...encode.split(" "), join(scratch, `${i}.ts`));
  }
  const parts = join(scratch, "parts.txt");
  writeFileSync(parts, images.map((_, i) => `file ${i}.ts`).join("\n"));
  run("-f", "concat", "-i", parts, "-c", "copy", video);
  return video;
}

/** Core-milliseconds a frame of decoding alone: of ffmpeg, by its own word. */
function coreMs(video: string, options: string): number {
  const args = ["-nostdin", "-v", "info", "-benchmark", ...options.split(" "), "-i", video, "-f", "null", "-"];
  const { stderr } = spawnSync(ffmpeg, args, { encoding: "utf8" });
  const frames = [...stderr.matchAll(/frame=\s*(\d+)/g)].at(-1)?.[1];
  const [, user, system] = /utime=([\d.]+)s stime=([\d.]+)s/.exec(stderr) ?? [];
  return ((Number(user) + Number(system)) * 1000) / Number(frames);
}

/** AP of the default model on the last frame of each picture. */
function judge(video: string, options: string, { images, annotations, ...rest }: Coco): number {
  const folder = join(scratch, "judged");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, "images"), { recursive: true });
  const last = `select=eq(mod(n\\,${FRAMES})\\,${FRAMES - 1})`;
  const files = join(folder, "images", "%d.png");
  const pictures = `-vf ${last} -fps_mode passthrough -compression_level 1 -start_number 0`;
  run(...options.split(" "), "-i", video, ...pictures.split(" "), files);
  const placed = new Map(images.map((image, i) => [image.id, { ...image, i }]));
  const moved = {
    ...rest,
    images: images.map(({ id }, i) => ({ id, file_name: `${i}.png`, width: WIDTH, height: HEIGHT })),
    annotations: annotations.flatMap((annotation) => {
      const image = placed.get(annotation.image_id);
      if (!image) return [];
      const scale = Math.min(WIDTH / image.width, HEIGHT / image.height);
      const left = (WIDTH + MARGIN - image.width * scale) / 2 - MARGIN;
      const top = (HEIGHT - image.height * scale) / 2;
      const [x, y, width, height] = annotation.bbox as [number, number, number, number];
      const bbox = [left + x * scale, top + y * scale, width * scale, height * scale];
      return [{ ...annotation, bbox, segmentation: [] }];
    }),
  };
  writeFileSync(join(folder, "instances.json"), JSON.stringify(moved));
  const args = ["dist/cli.js", "evaluate", "--data", folder, "--precision", "fp32", "--json"];
  const line = execFileSync(process.execPath, args, { encoding: "utf8" });
  return (JSON.parse(line) as { figures: { AP: number } }).figures.AP;
}
