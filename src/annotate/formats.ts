// All forms that annotations can be written in, and how `--out` names them.
import type { AnnotationFormat } from "./format.ts";

/** JSON lines are not among them: they are what these are made from. */
export const ANNOTATION_FORMATS: readonly AnnotationFormat[] = [];
