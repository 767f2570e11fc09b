// `multibox doctor`: each thing that a server needs is tried, not guessed: ffmpeg, model and engine, folders, port.
import { existsSync } from "node:fs";
import { mkdtemp, mkdir, rm, statfs } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import sharp from "sharp";
import { countOf } from "../count.ts";
import { type Config, postProcessOf } from "../config.ts";
import { demoClipPath } from "../demo-clip.ts";
import { MultiboxError, sentenceOf, systemCode } from "../errors.ts";
import { decodePicture } from "../model/decode-picture.ts";
import type { RgbImage } from "../model/detection.ts";
import { openDetector } from "../model/detector-pool.ts";
import { gpuDevices } from "../model/engines/gpu-devices.ts";
import { captureProcess } from "../pipeline/capture-process.ts";
import { type Ffmpeg, findFfmpeg } from "../pipeline/find-ffmpeg.ts";
import { packageVersion } from "../version.ts";
import { findShown } from "./model-folder.ts";
import { LOW_DISK_BYTES } from "../server/health-route.ts";

export interface DoctorOptions {
  readonly config: Config;
  readonly cacheDir: string;
  readonly dataDir: string;
  readonly json: boolean;
}

/** `missing` is what a server cannot do without. */
interface Finding {
  readonly name: string;
  readonly state: "ok" | "warning" | "missing";
  readonly says: string;
}

type Check = (options: DoctorOptions, ffmpeg: Promise<Ffmpeg>) => Promise<Omit<Finding, "name">>;

/** Prints what was found; false where something needed is missing. */
export async function doctor(options: DoctorOptions): Promise<boolean> {
  const findings: Finding[] = [];
  const ffmpeg = findFfmpeg();
  for (const [name, check] of CHECKS) {
    const found = await check(options, ffmpeg).catch((error: unknown) => ({
      state: "missing" as const,
      says: sentenceOf(error),
    }));
    findings.push({ name, ...found });
    if (!options.json) console.log(line(findings.at(-1)!));
  }
  const ok = findings.every(({ state }) => state !== "missing");
  if (options.json) console.log(JSON.stringify({ ok, version: packageVersion(), findings }));
  return ok;
}

const SIGNS = { ok: "ok     ", warning: "warning", missing: "MISSING" } as const;
const line = ({ name, state, says }: Finding): string => `${SIGNS[state]}  ${name.padEnd(10)}  ${says}`;
const ok = (says: string): Omit<Finding, "name"> => ({ state: "ok", says });
const warning = (says: string): Omit<Finding, "name"> => ({ state: "warning", says });

const CHECKS: readonly (readonly [string, Check])[] = [
  ["node", () => Promise.resolve(ok(`${process.version} on ${process.platform} ${process.arch}`))],
  ["ffmpeg", checkFfmpeg],
  ["protocols", checkProtocols],
  ["filters", checkFilters],
  ["decoding", checkDecoders],
  ["gpu", checkGpu],
  ["data", ({ dataDir }) => checkFolder(dataDir)],
  ["cache", ({ cacheDir }) => checkFolder(cacheDir)],
  ["port", ({ config }) => checkPort(config)],
  ["detection", checkDetection],
];

async function checkFfmpeg(_: DoctorOptions, ffmpeg: Promise<Ffmpeg>): Promise<Omit<Finding, "name">> {
  const { version, path, warning: words } = await ffmpeg;
  return words ? warning(words) : ok(`${version} (${path})`);
}

async function checkProtocols(_: DoctorOptions, ffmpeg: Promise<Ffmpeg>): Promise<Omit<Finding, "name">> {
  const protocols = await askFfmpeg(ffmpeg, "-protocols");
  const demuxers = await askFfmpeg(ffmpeg, "-demuxers");
  if (!/\brtsp\b/.test(demuxers)) return { state: "missing", says: "this ffmpeg was built without RTSP" };
  return /\btls\b/.test(protocols)
    ? ok("rtsp, http, tls")
    : warning("rtsp, http; no TLS: rtsps:// and https:// cannot be read");
}

async function checkFilters(_: DoctorOptions, ffmpeg: Promise<Ffmpeg>): Promise<Omit<Finding, "name">> {
  const filters = await askFfmpeg(ffmpeg, "-filters");
  return / ass /.test(filters)
    ? ok("libass is there")
    : warning("no libass: multibox annotate cannot draw boxes into videos");
}

async function checkDecoders(_: DoctorOptions, ffmpeg: Promise<Ffmpeg>): Promise<Omit<Finding, "name">> {
  const [, ...hardware] = (await askFfmpeg(ffmpeg, "-hwaccels")).trim().split("\n");
  const decoders = await askFfmpeg(ffmpeg, "-decoders");
  const lacking = ["h264", "hevc", "mjpeg"].filter((name) => !new RegExp(` ${name} `).test(decoders));
  if (lacking.length > 0) return warning(`this ffmpeg does not decode ${lacking.join(", ")}`);
  return ok(`h264, hevc, mjpeg; hardware: ${hardware.map((name) => name.trim()).join(", ") || "none"} (not used)`);
}

function checkGpu(): Promise<Omit<Finding, "name">> {
  const { any, nvidia } = gpuDevices();
  return Promise.resolve(ok(nvidia ? "an NVIDIA device" : any ? "a device" : "none; the CPU does it"));
}

/** Tried by making a folder in it, because permissions and read-only mounts say it in many ways. */
async function checkFolder(folder: string): Promise<Omit<Finding, "name">> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await rm(await mkdtemp(join(folder, ".doctor-")), { recursive: true });
  } catch (cause) {
    throw new MultiboxError("FOLDER_NOT_WRITABLE", `${folder} cannot be written: ${systemCode(cause)}.`, "", { cause });
  }
  const { bavail, bsize } = await statfs(folder);
  const says = `${folder} can be written, ${((bavail * bsize) / 1e9).toFixed(1)} GB are free`;
  return bavail * bsize < LOW_DISK_BYTES ? warning(says) : ok(says);
}

function checkPort({ host, port }: Config): Promise<Omit<Finding, "name">> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error) => resolve(warning(`${host}:${port} cannot be listened on: ${systemCode(error)}`)));
    server.listen(port, host.replaceAll(/[[\]]/g, ""), () =>
      server.close(() => resolve(ok(`${host}:${port} is free`))),
    );
  });
}

/** Opens the model as the server does, and runs it on a drawn picture, twice: the second time counts. */
async function checkDetection(
  { config, cacheDir }: DoctorOptions,
  ffmpeg: Promise<Ffmpeg>,
): Promise<Omit<Finding, "name">> {
  const { folder } = await findShown(config.model, cacheDir, config.engine);
  const { engine, precision, workers, minScore } = config;
  const postProcess = postProcessOf(config);
  const detector = await openDetector({
    folder,
    engine,
    precision,
    cacheDir,
    workers,
    maxBatch: 1,
    minScore,
    postProcess,
  });
  try {
    const { picture, name } = await testPicture(cacheDir, ffmpeg);
    await detector.detect([picture]);
    const { detections, inferMs } = await detector.detect([picture]);
    const { model, engine: runs, reason } = detector.info;
    const found = `${countOf(detections[0]!.length, "object")} on ${name} in ${inferMs.toFixed(1)} ms`;
    return ok(`${model.name} on ${runs} (${reason}): ${found}`);
  } finally {
    await detector.close();
  }
}

/** A frame of the demo clip where that is there already, so that nothing is fetched for it; else one that is grey. */
async function testPicture(cacheDir: string, ffmpeg: Promise<Ffmpeg>): Promise<{ picture: RgbImage; name: string }> {
  const clip = demoClipPath(cacheDir);
  if (!existsSync(clip)) {
    const grey = { create: { width: 640, height: 480, channels: 3, background: "grey" } } as const;
    return { picture: await decodePicture(await sharp(grey).png().toBuffer()), name: "a grey picture" };
  }
  const { path } = await ffmpeg;
  const args = ["-v", "error", "-ss", "1.5", "-i", clip, "-frames:v", "1", "-f", "image2", "-c:v", "png", "pipe:1"];
  const image = await captureProcess(path, args, { maxBytes: 2 ** 25 });
  return { picture: await decodePicture(image), name: "a frame of the demo" };
}

async function askFfmpeg(ffmpeg: Promise<Ffmpeg>, option: string): Promise<string> {
  const { path } = await ffmpeg;
  return (await captureProcess(path, ["-hide_banner", option])).toString();
}
