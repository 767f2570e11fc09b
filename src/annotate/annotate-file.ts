// One video -> everything that was asked for: its JSON lines first, then the forms that are made of them.
import { existsSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { MultiboxError } from "../errors.ts";
import { annotateVideo, type OpenedModel, type VideoJob, type VideoResult, type VideoTools } from "./annotate-video.ts";
import { readAnnotations } from "./annotation-file.ts";
import { partialPath } from "./annotation-writer.ts";
import { convertTo } from "./convert.ts";
import type { ConvertContext } from "./format.ts";
import { linesTarget, type Output } from "./outputs.ts";
import { requireSame } from "./resume.ts";
import { identify } from "./source-file.ts";

export interface FileJob extends Omit<VideoJob, "target"> {
  readonly outputs: readonly Output[];
  /** Replace what is there; else outputs that are there are refused, or with `resume` left as they are. */
  readonly force: boolean;
}

export interface FileTools extends VideoTools {
  /** A form is being made of the finished lines: how far that is, 0..1. */
  readonly onConvert?: ((format: string, share: number) => void) | undefined;
  /** Something was done otherwise than asked for. */
  readonly onWarning?: ((sentence: string) => void) | undefined;
  /** Of boxed videos. */
  readonly encoding?: ConvertContext["encoding"];
}

export interface FileResult {
  readonly outputs: readonly string[];
  /** What was detected; absent where the lines were there. */
  readonly video?: VideoResult | undefined;
}

/**
 * Fails as annotateVideo does, with OUT_EXISTS where something would be overwritten, and as the forms do. With `resume`, what is whole
 * stays, and what is not is gone on with.
 */
export async function annotateFile(job: FileJob, tools: FileTools): Promise<FileResult> {
  const { outputs, force, resume } = job;
  const lines = linesTarget(outputs);
  requireUntouched(job, lines.path);
  for (const { path } of outputs) await mkdir(dirname(path), { recursive: true }).catch(() => undefined);
  const paths = outputs.map(({ path }) => path);
  const missing = outputs.filter(({ format, path }) => format && (force || !existsSync(path)));
  if (resume && missing.length === 0 && (existsSync(lines.path) || !lines.isWanted)) return { outputs: paths };
  const context = {
    video: job.path === "-" ? undefined : job.path,
    ffmpeg: tools.ffmpeg,
    signal: tools.signal,
    encoding: tools.encoding,
    onWarning: tools.onWarning,
  };
  for (const { format } of missing) await format!.check?.(context);
  let result: VideoResult | undefined;
  if (resume && existsSync(lines.path)) await requireFinished(job, lines.path, await tools.opened);
  else result = await annotateVideo({ ...job, target: lines.path }, tools);
  const annotations = await readAnnotations(lines.path);
  for (const { format, path } of missing) {
    const onProgress = (share: number): void => tools.onConvert?.(format!.name, share);
    await convertTo(format!, annotations, path, { ...context, onProgress });
  }
  if (!lines.isWanted) await rm(lines.path, { force: true });
  return { outputs: paths, video: result };
}

/** Nothing is overwritten, and nothing unfinished begun anew, unless it is asked for. */
function requireUntouched({ outputs, force, resume }: FileJob, lines: string): void {
  if (force || resume) return;
  const there = outputs.find(({ path }) => existsSync(path));
  if (there) {
    const hint = "Replace it with --force, leave it with --resume, or choose another --out.";
    throw new MultiboxError("OUT_EXISTS", `${there.path} is there already.`, hint);
  }
  if (!existsSync(partialPath(lines)) && !existsSync(lines)) return;
  const hint = "Continue it with --resume, or restart with --force.";
  throw new MultiboxError("OUT_EXISTS", `An earlier run has left ${partialPath(lines)} unfinished.`, hint);
}

/** Lines that are whole are used only if they are of this video and were made in this way. */
async function requireFinished({ path, settings }: FileJob, lines: string, { model }: OpenedModel): Promise<void> {
  const { header } = await readAnnotations(lines);
  const identity = path === "-" ? {} : await identify(path);
  // Of very large pictures fewer go at once than was asked for.
  const { batch } = header.settings;
  requireSame(
    header,
    { ...header, source: { ...header.source, ...identity }, settings: { ...settings, batch }, model },
    lines,
  );
}
