// CVAT's own XML, "CVAT for images 1.1" (https://docs.cvat.ai/docs/manual/advanced/xml_format/), which tasks of pictures and of videos import.
import { sizeOf, type AnnotationLine } from "../annotation.ts";
import type { Annotations } from "../annotation-file.ts";
import { picturePath, videoName } from "./frame-names.ts";
import { textFormat } from "./text-writer.ts";
import { xmlText } from "./xml.ts";

export const cvatFormat = textFormat({
  name: "cvat",
  title: "CVAT for images 1.1 XML",
  suffix: ".cvat.xml",
  endings: [".cvat.xml"],
  pieces: document,
});

/**
 * Images and not tracks, because nothing is tracked: CVAT finds a video's frame by the id, a picture by its name. Scores have no place
 * but in an attribute, which would be refused by tasks whose labels do not have it.
 */
async function* document({ header, lines }: Annotations): AsyncGenerator<string, void> {
  yield '<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n  <version>1.1</version>\n  <meta>\n    <task>\n';
  yield `      <name>${xmlText(videoName(header))}</name>\n      <mode>annotation</mode>\n      <labels>\n`;
  for (const { label } of header.model.labels)
    yield `        <label>\n          <name>${xmlText(label)}</name>\n          <attributes></attributes>\n        </label>\n`;
  yield "      </labels>\n    </task>\n  </meta>\n";
  for await (const line of lines()) {
    const { width, height } = sizeOf(header, line);
    yield `  <image id="${line.index}" name="${xmlText(picturePath(header, line))}" width="${width}" height="${height}">\n`;
    yield line.detections.map(box).join("");
    yield "  </image>\n";
  }
  yield "</annotations>\n";
}

function box({ label, bbox: [x, y, width, height] }: AnnotationLine["detections"][number]): string {
  const [xtl, ytl, xbr, ybr] = [x, y, x + width, y + height].map((value) => value.toFixed(2));
  const corners = `xtl="${xtl}" ytl="${ytl}" xbr="${xbr}" ybr="${ybr}"`;
  return `    <box label="${xmlText(label)}" source="auto" occluded="0" ${corners} z_order="0">\n    </box>\n`;
}
