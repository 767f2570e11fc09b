// COCO's JSON: instances, which tools import, and results, which evaluations load (https://cocodataset.org/#format-data and #format-results).
import type { AnnotationHeader, AnnotationLine } from "../annotation.ts";
import { sizeOf } from "../annotation.ts";
import type { Annotations } from "../annotation-file.ts";
import { picturePath } from "./frame-names.ts";
import { textFormat } from "./text-writer.ts";

export const cocoFormat = textFormat({
  name: "coco",
  title: "COCO JSON, instances with scores",
  suffix: ".coco.json",
  endings: [".coco.json"],
  pieces: instances,
});

export const cocoResultsFormat = textFormat({
  name: "coco-results",
  title: "COCO JSON, results for an evaluation",
  suffix: ".coco-results.json",
  endings: [".coco-results.json"],
  pieces: results,
});

/** Ids start at 1: pycocotools takes an annotation 0 for none. A frame's is its index + 1. */
const imageId = ({ index }: AnnotationLine): number => index + 1;

async function* instances({ header, lines }: Annotations): AsyncGenerator<string, void> {
  const categories = header.model.labels.map(({ classId, label }) => ({ id: classId, name: label, supercategory: "" }));
  const info = { description: describe(header), version: "1.0", contributor: `multibox ${header.multibox}` };
  yield `{"info":${JSON.stringify(info)},"licenses":[],"categories":${JSON.stringify(categories)},\n"images":[`;
  yield* separated(lines(), function* (line) {
    const place = "file" in line ? {} : { frame: line.index, pts: line.pts };
    yield { id: imageId(line), file_name: picturePath(header, line), ...sizeOf(header, line), ...place };
  });
  yield '],\n"annotations":[';
  let id = 0;
  yield* separated(lines(), function* (line) {
    for (const { bbox, score, classId } of line.detections) {
      id += 1;
      const what = { id, image_id: imageId(line), category_id: classId, bbox, area: bbox[2] * bbox[3] };
      // An empty outline is what readers that ask for one take for "a box only".
      yield { ...what, iscrowd: 0, segmentation: [], score };
    }
  });
  yield "]}\n";
}

async function* results({ lines }: Annotations): AsyncGenerator<string, void> {
  yield "[";
  yield* separated(lines(), function* (line) {
    for (const { bbox, score, classId } of line.detections)
      yield { image_id: imageId(line), category_id: classId, bbox, score };
  });
  yield "]\n";
}

function describe({ source, model }: AnnotationHeader): string {
  return `${source.kind === "video" ? source.path : "Pictures"}, detected by ${model.name} ${model.version}`;
}

/** The entries of a JSON array, one a line. */
async function* separated(
  lines: AsyncIterable<AnnotationLine>,
  entriesOf: (line: AnnotationLine) => Iterable<object>,
): AsyncGenerator<string, void> {
  let separator = "\n";
  for await (const line of lines) {
    for (const entry of entriesOf(line)) {
      yield separator + JSON.stringify(entry);
      separator = ",\n";
    }
  }
}
