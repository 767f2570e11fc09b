// On a real video, detections in the YUV frames that the product decodes are those of the released graph in whole RGB frames.
import { concatMap, lastValueFrom } from "rxjs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Detection, Picture, RgbImage } from "../../src/model/detection.ts";
import { createDetector, type Detector } from "../../src/model/detector.ts";
import { openEngine } from "../../src/model/engines/open.ts";
import { createPostProcess } from "../../src/model/post-process.ts";
import { SSDLITE_MOBILENET_V2 } from "../../src/model/specs.ts";
import { openSource } from "../../src/pipeline/source.ts";
import { iou } from "../support/boxes.ts";
import { defaultBundle, testData } from "../support/model.ts";
import { openOriginalGraph } from "./support/original-graph.ts";
import { rgbFrames } from "./support/video.ts";

const [WIDTH, HEIGHT] = [1280, 720];
/** Every frame is compared with our network on RGB; at these the released graph itself is asked, which takes seconds. */
const ASKED = [0, 33, 66];

const video = testData("videos/mmdetection-demo.mp4");
describe.skipIf(!video)(`a 720p video${video ? "" : " (the test data have no videos/mmdetection-demo.mp4)"}`, () => {
  let detector: Detector;
  /** Detections of each whole RGB frame. */
  const inRgb: Detection[][] = [];
  const asked = new Map<number, RgbImage>();
  beforeAll(async () => {
    const bundle = await defaultBundle();
    detector = createDetector(bundle, await openEngine("auto", bundle, { threads: 0 }), { maxBatch: 1, minScore: 0.3 });
    for await (const picture of rgbFrames(video!, WIDTH, HEIGHT)) {
      if (ASKED.includes(inRgb.length)) asked.set(inRgb.length, picture);
      inRgb.push(await detect(picture));
    }
  });
  afterAll(() => detector.close());
  const detect = async (picture: Picture): Promise<Detection[]> => (await detector.detect([picture])).detections[0]!;

  test(
    "in whole RGB frames our detections over 0.5 are those of the released graph",
    { timeout: 240_000 },
    async () => {
      expect(inRgb).toHaveLength(67);
      const graph = await openOriginalGraph();
      try {
        const postProcess = createPostProcess(SSDLITE_MOBILENET_V2);
        for (const [frame, picture] of asked) {
          // The released graph resizes the whole frame by itself.
          const heads = await graph.run(picture);
          const theirs = postProcess({ ...heads, offsetsAt: 0, logitsAt: 0 }, WIDTH, HEIGHT).filter(isSure);
          expect(theirs.length).toBeGreaterThan(0);
          expect(theirs.filter((one) => !isFound(one, inRgb[frame]!, 0.95, 0.02))).toEqual([]);
        }
      } finally {
        graph.dispose();
      }
    },
  );

  test("in the YUV frames at least 95% of them are found, with IoU over 0.9 and the score within 0.05", async () => {
    const inYuv: Detection[][] = [];
    const config = { id: "demo", url: video!, loop: false, transport: "tcp" } as const;
    const options = { maxDecodeWidth: 1920, poolSize: 4, onDecoded: () => {}, onDrop: () => {} };
    const frames = openSource(config, options).pipe(
      concatMap(async (frame) => {
        inYuv.push(await detect(frame.picture));
        frame.release();
      }),
    );
    await lastValueFrom(frames);
    expect(inYuv).toHaveLength(inRgb.length);

    let wanted = 0;
    let found = 0;
    for (const [i, detections] of inRgb.entries()) {
      const sure = detections.filter(isSure);
      wanted += sure.length;
      found += sure.filter((one) => isFound(one, inYuv[i]!, 0.9, 0.05)).length;
    }
    expect(wanted).toBeGreaterThan(100);
    expect(found / wanted, `${found} of ${wanted}`).toBeGreaterThanOrEqual(0.95);
  });
});

const isSure = ({ score }: Detection): boolean => score > 0.5;

function isFound(one: Detection, others: readonly Detection[], minIou: number, scoreWithin: number): boolean {
  return others.some(
    ({ label, score, bbox }) =>
      label === one.label && iou(bbox, one.bbox) > minIou && Math.abs(score - one.score) <= scoreWithin,
  );
}
