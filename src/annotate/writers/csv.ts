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
      yield `${[...where, label, classId, score, ...bbox].map((value) => quoted(String(value))).join(",")}\r\n`;
  }
}

function quoted(value: string): string {
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}
