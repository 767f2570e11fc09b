// Writes a form that is one file of text, piece by piece, in constant memory.
import { open } from "node:fs/promises";
import { writeFailure } from "../../whole-file.ts";
import type { Annotations } from "../annotation-file.ts";
import type { AnnotationFormat, ConvertContext } from "../format.ts";

export interface TextFormat extends Omit<AnnotationFormat, "kind" | "convert"> {
  /** The file's text; asked for the lines as often as it needs to. */
  readonly pieces: (annotations: Annotations, context: ConvertContext) => AsyncIterable<string>;
}

export function textFormat({ pieces, ...format }: TextFormat): AnnotationFormat {
  return {
    ...format,
    kind: "file",
    convert: async (annotations, target, context) =>
      await writePieces(target, pieces(annotations, context), context.signal),
  };
}

const BYTES_A_WRITE = 1 << 18;

/** Writes the pieces, few at a time. Fails with NOT_WRITABLE or DISK_FULL; what is there by then is the caller's to remove. */
export async function writePieces(target: string, pieces: AsyncIterable<string>, signal?: AbortSignal): Promise<void> {
  try {
    const file = await open(target, "w");
    try {
      let waiting = "";
      for await (const piece of pieces) {
        waiting += piece;
        if (waiting.length < BYTES_A_WRITE) continue;
        signal?.throwIfAborted();
        await file.appendFile(waiting);
        waiting = "";
      }
      await file.appendFile(waiting);
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw writeFailure(cause, target);
  }
}
