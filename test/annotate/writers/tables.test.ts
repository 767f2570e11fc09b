// Forms that are rows of a table: CSV, MOTChallenge's det.txt.
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { csvFormat } from "../../../src/annotate/writers/csv.ts";
import { motFormat } from "../../../src/annotate/writers/mot.ts";
import { makeFolder } from "../../support/ffmpeg.ts";
import { pythonHas, runPython } from "../../support/python.ts";
import { convert, ODD_LABELS, oddHeader, oddLine, picturesOf } from "../support/convert.ts";
import { exampleHeader, exampleLine } from "../support/example.ts";

let folder: Awaited<ReturnType<typeof makeFolder>>;
beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => folder.remove());

describe("CSV", () => {
  it("has a row a detection, with the frame's place and time", async () => {
    const { text } = await convert(csvFormat, folder.path, exampleHeader(), [exampleLine(0), exampleLine(1)]);
    expect(text.split("\r\n")).toEqual([
      "frame,pts,label,class_id,score,x,y,width,height",
      "0,0,person,1,0.9,10,20,30.5,40",
      "0,0,dog,18,0.625,200,120.25,60,50",
      "1,0.04,person,1,0.9,11,20,30.5,40",
      "",
    ]);
  });

  it("names the files of pictures, and has nothing but its head where nothing was found", async () => {
    const { header, lines } = picturesOf('odd, "name".jpg');
    const pictures = await convert(csvFormat, folder.path, header, lines);
    expect(pictures.text).toBe(
      'file,label,class_id,score,x,y,width,height\r\n"odd, ""name"".jpg",dog,18,0.9,10,20,30,40\r\n',
    );
    const none = await convert(csvFormat, folder.path, exampleHeader(), [{ index: 0, pts: 0, detections: [] }]);
    expect(none.text).toBe("frame,pts,label,class_id,score,x,y,width,height\r\n");
  });

  it("has an apostrophe before text that a spreadsheet would evaluate, and none before numbers", async () => {
    const { header, lines } = picturesOf("-1+1.jpg");
    const one = lines[0]!.detections[0]!;
    const labels = ['=HYPERLINK("http://example.com")', "+1", "-1", "@SUM(1)", "a=b"];
    const detections = labels.map((label) => ({ ...one, label, bbox: [-1.5, 2, 3, 4] }));
    const { text } = await convert(csvFormat, folder.path, header, [{ ...lines[0]!, detections } as never]);
    const start = "'-1+1.jpg,";
    expect(
      text
        .split("\r\n")
        .slice(1, -1)
        .map((row) => row.slice(0, start.length)),
    ).toEqual(labels.map(() => start));
    expect(
      text
        .split("\r\n")
        .slice(1, -1)
        .map((row) => row.slice(start.length).replace(/,18,0\.9,-1\.5,2,3,4$/, "")),
    ).toEqual([`"'=HYPERLINK(""http://example.com"")"`, "'+1", "'-1", "'@SUM(1)", "a=b"]);
  });

  it.skipIf(!pythonHas("csv"))("is read by Python's csv, odd labels too (needs Python)", async () => {
    const { target } = await convert(csvFormat, folder.path, oddHeader(), [oddLine()]);
    const script = join(import.meta.dirname, "read-csv.py");
    const rows = JSON.parse(await runPython(script, [target])) as { label: string }[];
    expect(rows.map(({ label }) => label)).toEqual(ODD_LABELS);
  });
});

describe("MOTChallenge's det.txt", () => {
  it("counts frames and pixels from 1, and tracks nothing", async () => {
    const { text } = await convert(motFormat, folder.path, exampleHeader(), [exampleLine(0), exampleLine(7)]);
    expect(text.split("\n")).toEqual([
      "1,-1,11.00,21.00,30.50,40.00,0.9000,-1,-1,-1",
      "1,-1,201.00,121.25,60.00,50.00,0.6250,-1,-1,-1",
      "8,-1,18.00,21.00,30.50,40.00,0.9000,-1,-1,-1",
      "",
    ]);
  });
});
