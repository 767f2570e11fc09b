// `multibox detect`: the objects in picture files.
import { readFile } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { countOf } from "../count.ts";
import { openPictureSink, type PictureSink } from "../annotate/annotate-pictures.ts";
import { findPictures, type LeftOut, leftOutWarnings } from "../annotate/find-inputs.ts";
import { type Output, outputsOf, parseOutputs, requireDistinct } from "../annotate/outputs.ts";
import type { Config } from "../config.ts";
import { MultiboxError, sentenceOf, systemCode } from "../errors.ts";
import { redactSecrets, redactUrl } from "../redact.ts";
import type { Detection } from "../model/detection.ts";
import type { Detector } from "../model/detector.ts";
import { openDetector } from "../model/detector-pool.ts";
import type { PostProcessSpec, SsdSpec } from "../model/spec.ts";
import { decodePicture } from "../model/decode-picture.ts";
import { requireLabels } from "./arguments.ts";
import { annotationModel, findShown } from "./model-folder.ts";

export interface DetectOptions extends Pick<
  Config,
  "model" | "engine" | "precision" | "workers" | "iouThreshold" | "maxDetections" | "nms" | "classAgnostic"
> {
  readonly cacheDir: string;
  readonly minScore: number;
  /** What is left out is as the model has it. */
  readonly postProcess: Partial<PostProcessSpec>;
  readonly labels: readonly string[] | undefined;
  readonly json: boolean;
  /** Forms to write; what is in the pictures is then printed only with `json`. */
  readonly out: readonly string[];
  readonly outDir: string | undefined;
  readonly force: boolean;
}

/**
 * Prints what is in each picture; with `json` one line of JSON a picture; or writes it in the forms of `out`. A picture that fails is
 * named on standard error and the others go on; returns how many failed.
 */
export async function detectFiles(names: readonly string[], options: DetectOptions): Promise<number> {
  const outputs = outputsOf("detections", parseOutputs(options.out, "pictures"), options.outDir ?? ".");
  requireDistinct([{ input: "detections", outputs }]);
  const leftOut: LeftOut[] = [];
  const isOwn = (name: string): boolean => outputs.some(({ path }) => resolve(name) === resolve(path));
  const files = await findPictures(names, isOwn, (file) => leftOut.push(file));
  for (const { message } of leftOutWarnings(leftOut, "image")) console.error(`warning: ${message}`);
  const { spec, detector } = await open(options);
  let failed = 0;
  let sink: PictureSink | undefined;
  try {
    if (outputs.length > 0) sink = await openSink(spec, detector, outputs, options);
    for (const { path: file, name } of files) {
      try {
        const result = await detectFile(detector, file, options);
        if (!sink || options.json) print(result, options.json);
        const { width, height, detections } = result;
        await sink?.write({ file, ...(name !== basename(file) && { name }), width, height, detections });
      } catch (error) {
        if (error instanceof MultiboxError && WRITING.has(error.code)) throw error;
        failed += 1;
        console.error(`${redactUrl(file)}: ${redactSecrets(sentenceOf(error))}`);
      }
    }
    await sink?.finish({});
    if (sink)
      console.error(`${countOf(files.length - failed, "image")} -> ${outputs.map(({ path }) => path).join(", ")}`);
  } catch (error) {
    await sink?.abort();
    throw error;
  } finally {
    await detector.close();
  }
  return failed;
}

/** What is no picture's fault. */
const WRITING = new Set(["DISK_FULL", "NOT_WRITABLE"]);

async function openSink(
  spec: SsdSpec,
  detector: Detector,
  outputs: readonly Output[],
  { minScore, labels, iouThreshold, maxDetections, nms, classAgnostic, force }: DetectOptions,
): Promise<PictureSink> {
  const settings = { minScore, labels: labels && [...labels].sort(), iouThreshold, maxDetections, nms, classAgnostic };
  const model = annotationModel(spec, detector);
  return openPictureSink(outputs, { model, settings: { ...settings, batch: 1 }, force });
}

async function open({
  model,
  engine,
  precision,
  workers,
  cacheDir,
  minScore,
  postProcess,
  labels,
}: DetectOptions): Promise<{ spec: SsdSpec; detector: Detector }> {
  const { folder, spec } = await findShown(model, cacheDir, engine);
  const options = { folder, engine, precision, cacheDir, workers, minScore, postProcess, maxBatch: 1 };
  const detector = await openDetector(options);
  try {
    requireLabels(labels, detector.info.labels);
  } catch (error) {
    await detector.close();
    throw error;
  }
  return { spec, detector };
}

interface FileResult {
  readonly file: string;
  readonly width: number;
  readonly height: number;
  readonly model: Detector["info"]["model"];
  readonly detections: readonly Detection[];
}

async function detectFile(detector: Detector, file: string, { labels }: DetectOptions): Promise<FileResult> {
  const picture = await decodePicture(await read(file));
  const [detections] = (await detector.detect([picture])).detections;
  const { width, height } = picture;
  const wanted = detections!.filter(({ label }) => !labels || labels.includes(label));
  return { file, width, height, model: detector.info.model, detections: wanted };
}

async function read(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (cause) {
    const code = systemCode(cause);
    if (code === "ENOENT") throw new MultiboxError("FILE_NOT_FOUND", `There is no file ${file}.`, "", { cause });
    if (code === "EISDIR")
      throw new MultiboxError("FILE_NOT_READABLE", `${file} is a folder.`, "Name the pictures in it.", { cause });
    throw new MultiboxError("FILE_NOT_READABLE", `${file} cannot be read: ${sentenceOf(cause)}.`, "", { cause });
  }
}

function print(result: FileResult, json: boolean): void {
  if (json) {
    console.log(JSON.stringify(result));
    return;
  }
  console.log(`${result.file} (${result.width} x ${result.height})`);
  if (result.detections.length === 0) console.log("  nothing");
  for (const { label, score, bbox } of result.detections) {
    const [x, y, width, height] = bbox.map((value) => value.toFixed(0).padStart(5));
    console.log(`  ${score.toFixed(2)}  ${label.padEnd(14)} x ${x}  y ${y}  width ${width}  height ${height}`);
  }
}
