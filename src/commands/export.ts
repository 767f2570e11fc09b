// `multibox export`: a model in a format that other programs run.
import { readdir, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { MultiboxError } from "../errors.ts";
import type { Bundle } from "../model/bundle.ts";
import { exportOnnx } from "../model/export/onnx.ts";
import { exportSafetensors } from "../model/export/safetensors.ts";
import { exportTfjs, TFJS_FILE } from "../model/export/tfjs.ts";
import { requireWritable, writeWhole, writeWholeFolder } from "../whole-file.ts";
import { openShown } from "./model-folder.ts";

export interface ExportOptions {
  readonly model: string;
  readonly cacheDir: string;
  readonly format: "onnx" | "tfjs" | "safetensors";
  /** A file; for tfjs a folder. */
  readonly out: string;
  /** Of ONNX: detections come out instead of raw heads. */
  readonly withNms: boolean;
  /** Replace what an earlier export wrote. */
  readonly force: boolean;
  readonly json: boolean;
}

/** Writes the model and says where it is. Nothing is fetched or written where `out` cannot be. */
export async function exportModel(options: ExportOptions): Promise<void> {
  const { model, cacheDir, format, withNms, force, json } = options;
  const out = resolve(options.out);
  if (withNms && format !== "onnx")
    throw new MultiboxError(
      "CONFIG_INVALID",
      `--with-nms goes with --format onnx, not with ${format}.`,
      "Leave one of them out.",
    );
  await (format === "tfjs" ? requireFreeFolder(out, force) : requireFreeFile(out, force));
  await requireWritable(out, format === "tfjs" ? "folder" : "file");
  const bundle = await openShown(model, cacheDir);
  const bytes = await write(bundle, format, out, withNms);
  const { name, version } = bundle.spec;
  if (json) console.log(JSON.stringify({ model: { name, version }, format, withNms, out, bytes }));
  else console.log(`${name} is in ${options.out} (${(bytes / 1e6).toFixed(1)} MB).`);
}

/** Returns how many bytes were written. */
async function write(
  bundle: Bundle,
  format: ExportOptions["format"],
  out: string,
  detections: boolean,
): Promise<number> {
  if (format === "tfjs") {
    const files = exportTfjs(bundle);
    await writeWholeFolder(out, files);
    return [...files.values()].reduce((sum, { length }) => sum + length, 0);
  }
  const file = format === "onnx" ? exportOnnx(bundle, { detections }) : exportSafetensors(bundle);
  await writeWhole(out, [file]);
  return file.length;
}

async function requireFreeFile(out: string, force: boolean): Promise<void> {
  const found = await stat(out).catch(() => undefined);
  if (found?.isDirectory()) throw taken(`${out} is a folder`, "Give the name of a file.");
  if (found && !force) throw taken(`${out} is there already`, "Replace it with --force, or choose another --out.");
}

/** A folder is replaced only where it holds an earlier export and nothing else. */
async function requireFreeFolder(out: string, force: boolean): Promise<void> {
  const found = await stat(out).catch(() => undefined);
  if (!found) return;
  if (!found.isDirectory()) throw taken(`${out} is a file, and --format tfjs writes a folder`, "Choose another --out.");
  const names = await readdir(out);
  const other = names.find((name) => !TFJS_FILE.test(name));
  if (other !== undefined) throw taken(`${out} holds other things than an export: ${other}`, "Choose another --out.");
  if (names.length > 0 && !force)
    throw taken(`There is an export in ${out} already`, "Replace it with --force, or choose another --out.");
}

function taken(why: string, hint: string): MultiboxError {
  return new MultiboxError("OUT_EXISTS", `${why}.`, hint);
}
