// Models as commands have them: opened with a bar while they are fetched, and written to folders that users name.
import { readdir } from "node:fs/promises";
import { isAbsolute, resolve } from "node:path";
import { MultiboxError, systemCode } from "../errors.ts";
import type { AnnotationModel } from "../annotate/annotation.ts";
import { type Bundle, readBundle, writeBundle } from "../model/bundle.ts";
import type { Detector } from "../model/detector.ts";
import { fetchOnnxRuntime } from "../model/engines/onnx-runtime.ts";
import { type EngineName, needsOnnxRuntime } from "../model/engines/open.ts";
import type { SsdSpec } from "../model/spec.ts";
import { findModel } from "../model/zoo.ts";
import { downloadProgress } from "./terminal.ts";

/** By its name or folder, fetched on first use together with what the engine needs. Fails as `findModel` and `fetchOnnxRuntime` do. */
export async function findShown(model: string, cacheDir: string, engine?: EngineName): ReturnType<typeof findModel> {
  if (engine && needsOnnxRuntime(engine)) await fetchRuntimeShown(cacheDir);
  const progress = downloadProgress(model);
  return findModel(model, { cacheDir, onProgress: progress.update }).finally(progress.stop);
}

/** The same with its weights. */
export async function openShown(model: string, cacheDir: string, engine?: EngineName): Promise<Bundle> {
  const { folder } = await findShown(model, cacheDir, engine);
  return readBundle(folder);
}

/** ONNX Runtime, where it is not there yet. Fails as `fetchOnnxRuntime` does. */
export async function fetchRuntimeShown(cacheDir: string): Promise<void> {
  const progress = downloadProgress("ONNX Runtime");
  await fetchOnnxRuntime({ cacheDir, onProgress: progress.update }).finally(progress.stop);
}

/** What annotations say of the model that made them. */
export function annotationModel(spec: SsdSpec, { info }: Detector): AnnotationModel {
  const [, engine = info.engine, int8] = /^([^\s,]+)( int8)?/.exec(info.engine) ?? [];
  const labels = spec.labels.flatMap((label, classId) =>
    label === null || spec.labels.indexOf(label) < classId ? [] : [{ classId, label }],
  );
  return { ...info.model, engine, precision: int8 ? "int8" : "fp32", labels };
}

/** What a model's folder holds; a training writes the last two. */
const OF_A_MODEL: ReadonlySet<string> = new Set(["model.json", "weights.safetensors", "version.json", "report.html"]);

/** A folder is only replaced where it is asked for, and where it holds a model and nothing else. */
export async function requireFree(out: string, force: boolean): Promise<void> {
  const found = await readdir(out).catch((error: unknown) => {
    const code = systemCode(error);
    if (code === "ENOENT") return [];
    if (code === undefined) throw error;
    const why = code === "ENOTDIR" ? "is not a folder" : `cannot be read (${code})`;
    throw new MultiboxError("NOT_WRITABLE", `${out} ${why}.`, "Choose another --out.", { cause: error });
  });
  if (found.length === 0) return;
  const other = found.find((name) => !OF_A_MODEL.has(name));
  if (other !== undefined)
    throw new MultiboxError("OUT_EXISTS", `${out} holds other things than a model: ${other}.`, "Choose another --out.");
  if (!force)
    throw new MultiboxError(
      "OUT_EXISTS",
      `There is a model in ${out} already.`,
      "Replace it with --force, or choose another --out.",
    );
}

/** Writes a model where the user wants it, and returns how `--model` names that folder. */
export async function writeModel(
  out: string,
  { spec, weights, provenance, quantization }: Pick<Bundle, "spec" | "weights" | "provenance" | "quantization">,
): Promise<string> {
  await writeBundle(resolve(out), spec, weights, provenance, quantization).catch((cause: unknown) => {
    // Where a model cannot be written, its hint is about the cache, in which models otherwise are.
    if (!(cause instanceof MultiboxError)) throw cause;
    throw new MultiboxError(cause.code, cause.message, "Choose another --out.", { cause });
  });
  return isAbsolute(out) || out.startsWith(".") ? out : `./${out}`;
}
