// How data were split, as a sentence.
import { countOf } from "../count.ts";
import type { SplitRecord } from "./split-record.ts";

/** `Split by time: the last 12 images validate, and 3 in the gap before them are used by neither side.` */
export function splitSentence({ by, validation, gap, streams = 1 }: SplitRecord): string {
  const unused = `${gap} in the gap before them ${gap === 1 ? "is" : "are"} used by neither side`;
  const last = `the last ${countOf(validation, "image")}${streams > 1 ? ` of ${streams} streams` : ""} validate${validation === 1 ? "s" : ""}`;
  switch (by) {
    case "time":
      return `Split by time: ${last}${gap > 0 ? `, and ${unused}` : ""}.`;
    case "order":
      return `Split by the order of the data set: ${last}${gap > 0 ? `, and ${unused}` : ""}.`;
    case "hash":
      return "Split by groups of images that look alike.";
    case "day":
      return "Split by whole days.";
    case "validation":
      return "Validated on a data set of its own.";
  }
}
