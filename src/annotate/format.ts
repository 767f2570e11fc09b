// What a form of annotations is: a converter that streams over the finished JSON lines. formats.ts lists them.
import type { Ffmpeg } from "../pipeline/find-ffmpeg.ts";
import type { Annotations } from "./annotation-file.ts";
import type { EncoderWish } from "./video/encoders.ts";

/** What a converter may need besides the annotations. */
export interface ConvertContext {
  /** The video itself, for forms that need its pictures; absent for pictures and standard input. */
  readonly video?: string | undefined;
  readonly ffmpeg?: Ffmpeg | undefined;
  /** Gives up: the converter fails as soon as it can; what it has written is removed. */
  readonly signal?: AbortSignal | undefined;
  /** How a boxed video is encoded. */
  readonly encoding?: EncoderWish | undefined;
  /** 0..1 */
  readonly onProgress?: ((share: number) => void) | undefined;
  /** What its reader should know, as a sentence; the output is whole all the same. */
  readonly onWarning?: ((sentence: string) => void) | undefined;
}

/** A form that annotations can be written in. Files and folders are made under a temporary name, which is then renamed. */
export interface AnnotationFormat {
  /** As `--out` names it: `coco`. */
  readonly name: string;
  /** `COCO JSON`, for help and summaries. */
  readonly title: string;
  /** A folder of files, or one file. */
  readonly kind: "file" | "folder";
  /** What is put behind the input's name: `.coco.json`, or `-voc` for a folder. */
  readonly suffix: string;
  /** Endings of file names that mean this form without its name, with their dots: `.csv`. */
  readonly endings: readonly string[];
  /** Which sources it can hold; both when absent. */
  readonly only?: "video" | "pictures";
  /** Fails where it could not be written for want of something, before hours of work and not after them. */
  check?(context: ConvertContext): Promise<void>;
  /**
   * Writes everything to `target`, which does not exist yet, or is an empty folder; its ending is that of the final name. The same
   * annotations give the same bytes. Fails with a MultiboxError.
   */
  convert(annotations: Annotations, target: string, context: ConvertContext): Promise<void>;
}
