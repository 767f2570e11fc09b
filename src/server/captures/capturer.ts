// Keeps frames by rule or by call: looks at every detected frame, and never holds one up.
import { Subscription } from "rxjs";
import { hashDistance, perceptualHash } from "../../model/perceptual-hash.ts";
import type { Detected } from "../../pipeline/frame.ts";
import type { JpegEncoder } from "../../pipeline/jpeg.ts";
import type { Pipeline } from "../../pipeline/pipeline.ts";
import type { CaptureRules } from "../../pipeline/stream.ts";
import type { Capture } from "../../training/capture.ts";
import { CAPTURE_SKIP_BITS } from "../../training/look-alikes.ts";
import { isoTime } from "../streams/streams.ts";
import { CaptureJudge, type CaptureReason } from "./capture-rules.ts";
import type { CaptureStore } from "./capture-store.ts";

export interface CapturerOptions {
  readonly pipeline: Pick<Pipeline, "detected" | "removed">;
  readonly store: CaptureStore;
  readonly jpeg: Pick<JpegEncoder, "encode">;
  /** The rules of a stream; undefined for none. The same object while they are the same. */
  readonly rulesOf: (stream: string) => CaptureRules | undefined;
  /** A frame was kept. */
  readonly onKept?: (capture: Capture) => void;
  /** A frame that a rule wanted was not kept. */
  readonly onLeftOut?: (stream: string, why: "similar" | "busy" | "failed", error?: unknown) => void;
  /** Milliseconds on a clock that never jumps. */
  readonly now?: () => number;
  readonly random?: () => number;
}

/** Frames that are being encoded or written, over all streams: buffers are few, and the decoders need them. */
const MOST_AT_ONCE = 2;
const QUALITY = 92;

export class Capturer {
  readonly #options: CapturerOptions;
  readonly #now: () => number;
  readonly #judges = new Map<string, CaptureJudge>();
  readonly #subscription = new Subscription();
  /** Frames that are being encoded or written. */
  readonly #underWay = new Set<{ readonly stream: string; readonly hash: string }>();

  constructor(options: CapturerOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#subscription.add(options.pipeline.detected.subscribe((detected) => this.#onDetected(detected)));
    this.#subscription.add(options.pipeline.removed.subscribe((stream) => void this.#judges.delete(stream)));
  }

  /** Keeps this frame, which somebody holds now, whatever the rules say. Fails with CAPTURES_FULL, DISK_FULL, NOT_WRITABLE, JPEG_FAILED. */
  capture(detected: Detected): Promise<Capture> {
    return this.#keep(detected, "call", perceptualHash(detected.frame.picture));
  }

  /** Idempotent. */
  close(): void {
    this.#subscription.unsubscribe();
  }

  #onDetected(detected: Detected): void {
    const { stream, picture } = detected.frame;
    const rules = this.#options.rulesOf(stream);
    if (!rules) return;
    const judge = this.#judgeOf(stream, rules);
    const now = this.#now();
    const reason = judge.judge(detected.detections, now);
    if (!reason) return;
    if (this.#underWay.size >= MOST_AT_ONCE) {
      this.#options.onLeftOut?.(stream, "busy");
      return;
    }
    const hash = perceptualHash(picture);
    if (this.#hasSimilar(stream, hash, rules.skipSimilar ?? CAPTURE_SKIP_BITS)) {
      judge.leftOut(reason, now);
      this.#options.onLeftOut?.(stream, "similar");
      return;
    }
    judge.kept(reason, now);
    this.#keep(detected, reason, hash).catch((error: unknown) => this.#options.onLeftOut?.(stream, "failed", error));
  }

  /** One that is under way is in the store soon. */
  #hasSimilar(stream: string, hash: string, bits: number): boolean {
    const isSimilar = (other: { readonly stream: string; readonly hash: string }): boolean =>
      other.stream === stream && hashDistance(other.hash, hash) <= bits;
    return [...this.#underWay].some(isSimilar) || this.#options.store.hasSimilar(stream, hash, bits);
  }

  #judgeOf(stream: string, rules: CaptureRules): CaptureJudge {
    const known = this.#judges.get(stream);
    if (known?.rules === rules) return known;
    const judge = new CaptureJudge(rules, this.#options.random);
    this.#judges.set(stream, judge);
    return judge;
  }

  async #keep(detected: Detected, reason: CaptureReason | "call", hash: string): Promise<Capture> {
    const { frame, seq, detections, model } = detected;
    const underWay = { stream: frame.stream, hash };
    this.#underWay.add(underWay);
    frame.retain();
    try {
      const { data, width, height } = await this.#options.jpeg.encode(frame.picture, { quality: QUALITY });
      const proposed = detections.map(({ bbox: [x, y, w, h], score, label }) => ({
        bbox: [x, y, w, h] satisfies [number, number, number, number],
        score,
        label,
      }));
      const time = isoTime(frame.time);
      const capture: Capture = {
        id: `${time.replaceAll(/[-:.Z]/g, "")}-${frame.stream}-${seq}`,
        stream: frame.stream,
        seq,
        pts: frame.pts,
        time,
        reason,
        width,
        height,
        bytes: data.length,
        hash,
        model: { name: model.name, version: model.version },
        proposed,
        objects: proposed.map(({ bbox, label }) => ({ bbox, label })),
        status: "new",
      };
      await this.#options.store.add(capture, data);
      this.#options.onKept?.(capture);
      return capture;
    } finally {
      frame.release();
      this.#underWay.delete(underWay);
    }
  }
}
