// CSV: a row a detection, as spreadsheets and data frames read it (RFC 4180).
import type { Annotations } from "../annotation-file.ts";
import { textFormat } from "./text-writer.ts";

export const csvFormat = textFormat({
  name: "csv",
  title: "CSV, a row a detection",
  suffix: ".csv",
  endings: [".csv"],
  pieces: rows,
});

async function* rows({ header, lines }: Annotations): AsyncGenerator<string, void> {
  const place = header.source.kind === "video" ? "frame,pts" : "file";
  yield `${place},label,class_id,score,x,y,width,height\r\n`;
  for await (const line of lines()) {
    const where = "file" in line ? [line.file] : [line.index, line.pts];
    for (const { label, classId, score, bbox } of line.detections)
      yield `${[...where, label, classId, score, ...bbox].map(cell).join(",")}\r\n`;
  }
}

/**
 * Spreadsheets evaluate text that begins with one of these, and a label or file name may be anybody's: an apostrophe before it makes them
 * show it (https://owasp.org/www-community/attacks/CSV_Injection).
 */
const FORMULA = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;

function cell(value: string | number): string {
  const text = typeof value === "string" && FORMULA.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
