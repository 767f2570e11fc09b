// Pictures -> everything that was asked for: one file of JSON lines for all of them, and the forms that are made of it.
import { existsSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { MultiboxError } from "../errors.ts";
import { packageVersion } from "../version.ts";
import { readAnnotations } from "./annotation-file.ts";
import { type AnnotationWriter, openAnnotationWriter } from "./annotation-writer.ts";
import type { AnnotationModel, AnnotationSettings, PictureLine } from "./annotation.ts";
import { convertTo } from "./convert.ts";
import type { ConvertContext } from "./format.ts";
import { linesTarget, type Output } from "./outputs.ts";

export interface PictureSink {
  /** Takes what is on the next picture. */
  write(line: Omit<PictureLine, "index">): Promise<void>;
  /** Makes all outputs. Fails as the forms do. */
  finish(context: ConvertContext): Promise<void>;
  /** Leaves nothing behind. */
  abort(): Promise<void>;
}

/** Fails with OUT_EXISTS where something is there and `force` is not set, and with NOT_WRITABLE. */
export async function openPictureSink(
  outputs: readonly Output[],
  how: { readonly model: AnnotationModel; readonly settings: AnnotationSettings; readonly force: boolean },
): Promise<PictureSink> {
  const { model, settings, force } = how;
  const there = outputs.find(({ path }) => existsSync(path));
  if (there && !force) {
    const hint = "Replace it with --force, or choose another --out.";
    throw new MultiboxError("OUT_EXISTS", `${there.path} is there already.`, hint);
  }
  for (const { path } of outputs) await mkdir(dirname(path), { recursive: true }).catch(() => undefined);
  const lines = linesTarget(outputs);
  const source = { kind: "pictures" } as const;
  const header = { type: "header", format: 1, multibox: packageVersion(), source, model, settings } as const;
  const writer: AnnotationWriter = await openAnnotationWriter(lines.path, header);
  let index = 0;
  return {
    async write(line) {
      await writer.write({ index, ...line });
      index += 1;
    },
    async finish(context) {
      await writer.finish();
      const annotations = await readAnnotations(lines.path);
      for (const { format, path } of outputs) if (format) await convertTo(format, annotations, path, context);
      if (!lines.isWanted) await rm(lines.path, { force: true });
    },
    abort: () => writer.abort(),
  };
}
