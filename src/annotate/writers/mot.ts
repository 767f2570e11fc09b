// MOTChallenge's det.txt, which trackers take detections from (https://motchallenge.net/instructions/).
import type { Annotations } from "../annotation-file.ts";
import { textFormat } from "./text-writer.ts";

export const motFormat = textFormat({
  name: "mot",
  title: "MOTChallenge det.txt",
  suffix: ".mot.txt",
  endings: [".mot.txt", "det.txt"],
  only: "video",
  pieces: rows,
});

/**
 * `frame, id, left, top, width, height, confidence, x, y, z`: frames and pixels count from 1, nothing is tracked yet (-1), and there
 * are no places in the world (-1). The form knows no labels.
 */
async function* rows({ lines }: Annotations): AsyncGenerator<string, void> {
  for await (const { index, detections } of lines()) {
    for (const { bbox, score } of detections) {
      const [left, top, width, height] = [bbox[0] + 1, bbox[1] + 1, bbox[2], bbox[3]].map((value) => value.toFixed(2));
      yield `${index + 1},-1,${left},${top},${width},${height},${score.toFixed(4)},-1,-1,-1\n`;
    }
  }
}
