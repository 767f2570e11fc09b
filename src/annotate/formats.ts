// All forms that annotations can be written in, and how `--out` names them.
import type { AnnotationFormat } from "./format.ts";
import { softVideoFormat, videoFormat } from "./video/boxed-video.ts";
import { assFormat } from "./writers/ass.ts";
import { boxedPicturesFormat } from "./writers/boxed-pictures.ts";
import { cocoFormat, cocoResultsFormat } from "./writers/coco.ts";
import { csvFormat } from "./writers/csv.ts";
import { cvatFormat } from "./writers/cvat.ts";
import { labelStudioFormat, labelStudioVideoFormat } from "./writers/label-studio.ts";
import { motFormat } from "./writers/mot.ts";
import { srtFormat, vttFormat } from "./writers/subtitles.ts";
import { vocFormat } from "./writers/voc.ts";
import { yoloFormat } from "./writers/yolo.ts";

/** JSON lines are not among them: they are what these are made from. */
export const ANNOTATION_FORMATS: readonly AnnotationFormat[] = [
  cocoFormat,
  cocoResultsFormat,
  vocFormat,
  yoloFormat,
  csvFormat,
  motFormat,
  cvatFormat,
  labelStudioFormat,
  labelStudioVideoFormat,
  vttFormat,
  srtFormat,
  assFormat,
  videoFormat,
  softVideoFormat,
  boxedPicturesFormat,
];
