import { describe, expect, it } from "vitest";
import type { Detection } from "../../../src/model/detection.ts";
import type { CaptureRules } from "../../../src/pipeline/stream.ts";
import { NewStream } from "../../../src/server/protocol.ts";
import { CaptureJudge } from "../../../src/server/captures/capture-rules.ts";

const found = (label: string, score = 0.9): Detection => ({ bbox: [0, 0, 10, 10], score, label, classId: 1 });

/** What a judge says of frames a second apart, keeping each that it wants. */
function judged(
  rules: CaptureRules,
  frames: readonly (readonly Detection[])[],
  random = () => 0.5,
): (string | undefined)[] {
  const judge = new CaptureJudge(rules, random);
  return frames.map((detections, i) => {
    const reason = judge.judge(detections, i * 1000);
    if (reason) judge.kept(reason, i * 1000);
    return reason;
  });
}

describe("CaptureJudge", () => {
  it("keeps a frame every so many seconds", () => {
    expect(
      judged(
        { everySeconds: 3 },
        Array.from({ length: 7 }, () => []),
      ),
    ).toEqual(["every", undefined, undefined, "every", undefined, undefined, "every"]);
  });

  it("keeps frames that the model is unsure of", () => {
    const frames = [[found("car", 0.29)], [found("car", 0.3)], [found("car"), found("dog", 0.5)], [found("car", 0.51)]];
    expect(judged({ score: { from: 0.3, to: 0.5 } }, frames)).toEqual([undefined, "score", "score", undefined]);
  });

  it("keeps a frame when a label comes into sight, and again only after it was gone", () => {
    const frames = [[], [found("cat")], [found("cat")], [], [found("cat")], [], [], [], [found("cat")], [found("dog")]];
    const reasons = judged({ labels: ["cat"] }, frames);
    expect(reasons.flatMap((reason, i) => (reason === "label" ? [i] : []))).toEqual([1, 8]);
  });

  it("keeps a frame when a new count of objects holds for three frames", () => {
    const [one, two] = [[found("cup")], [found("cup"), found("cup")]];
    const reasons = judged({ countChanges: true }, [one, one, one, two, one, two, two, two, two]);
    expect(reasons.flatMap((reason, i) => (reason === "count" ? [i] : []))).toEqual([7]);
  });

  it("keeps a share of the frames by chance", () => {
    let draws = 0;
    const random = (): number => [0.05, 0.5, 0.09, 0.1][draws++]!;
    expect(
      judged(
        { share: 0.1 },
        Array.from({ length: 4 }, () => []),
        random,
      ),
    ).toEqual(["share", undefined, "share", undefined]);
  });

  it("keeps none within the gap after one", () => {
    const frames = Array.from({ length: 5 }, () => [found("car", 0.4)]);
    const reasons = judged({ score: { from: 0.3, to: 0.5 }, minGapSeconds: 2 }, frames);
    expect(reasons).toEqual(["score", undefined, "score", undefined, "score"]);
  });

  it("refuses a range of scores that ends before it begins", () => {
    const stream = { id: "cam", url: "rtsp://192.0.2.1/", capture: { score: { from: 0.6, to: 0.5 } } };
    expect(NewStream.safeParse(stream).success).toBe(false);
  });
});
