// A header and lines of annotations as tests write them.
import type { AnnotationHeader, FrameLine, VideoSource } from "../../../src/annotate/annotation.ts";

/** Of a video of 640 x 480 at 25 frames/s. */
export function exampleHeader(source: Partial<VideoSource> = {}): AnnotationHeader {
  return {
    type: "header",
    format: 1,
    multibox: "0.1.0",
    source: {
      kind: "video",
      path: "clip.mp4",
      width: 640,
      height: 480,
      rotation: 0,
      codec: "h264",
      frameRate: [25, 1],
      duration: 4,
      timeBase: [1, 12800],
      ...source,
    },
    model: {
      name: "ssdlite-mobilenet-v2",
      version: "1",
      engine: "onnx:cpu",
      precision: "fp32",
      labels: [
        { classId: 1, label: "person" },
        { classId: 18, label: "dog" },
      ],
    },
    settings: { minScore: 0.5, batch: 8 },
  };
}

/** A person who walks to the right, and a dog on every second frame. */
export function exampleLine(index: number): FrameLine {
  const person = { bbox: [10 + index, 20, 30.5, 40], score: 0.9, label: "person", classId: 1 } as const;
  const dog = { bbox: [200, 120.25, 60, 50], score: 0.625, label: "dog", classId: 18 } as const;
  return { index, pts: index / 25, detections: index % 2 === 0 ? [person, dog] : [person] };
}
