// The live view that every browser and player understands: JPEG after JPEG in one answer that does not end.
import { filter, merge, type Observable } from "rxjs";
import type { Detected } from "../../pipeline/frame.ts";
import type { Pipeline } from "../../pipeline/pipeline.ts";
import type { LatestFrames } from "../../pipeline/sinks/latest.ts";
import type { Jpeg } from "../../pipeline/jpeg.ts";
import type { Pictures } from "./pictures.ts";

export interface LiveView {
  readonly pipeline: Pick<Pipeline, "detected" | "removed">;
  readonly latest: LatestFrames;
  readonly pictures: Pictures;
  /** Emits when the server stops. */
  readonly closing: Observable<unknown>;
}

export const MJPEG_TYPE = "multipart/x-mixed-replace; boundary=multibox";

/**
 * The pictures of one stream for one viewer. It holds one picture at most that the viewer has not taken; until that
 * is gone others pass by, so a slow viewer sees fewer pictures and not older ones. Ends when the stream is removed.
 */
export function mjpeg(stream: string, width: number, view: LiveView): ReadableStream<Uint8Array> {
  let stop = (): void => {};
  let offer = (_detected: Detected | undefined): void => {};
  return new ReadableStream<Uint8Array>(
    {
      start: (controller) => {
        let lastSeq = -1;
        let encoding = false;
        let ended = false;
        offer = (detected) => {
          if (ended || encoding || !detected || detected.seq <= lastSeq || (controller.desiredSize ?? 0) <= 0) return;
          const offered = view.pictures.offer(detected, width);
          if (!offered) return;
          encoding = true;
          offered
            .then((jpeg) => {
              if (ended) return;
              controller.enqueue(part(detected, jpeg, lastSeq < 0));
              lastSeq = detected.seq;
            })
            // A picture that failed is one that the viewer does not see; the next one comes.
            .catch(() => undefined)
            .finally(() => (encoding = false));
        };
        const subscription = view.pipeline.detected.subscribe((detected) => {
          if (detected.frame.stream === stream) offer(detected);
        });
        stop = (): void => {
          ended = true;
          subscription.unsubscribe();
        };
        const removed = view.pipeline.removed.pipe(filter((id) => id === stream));
        subscription.add(
          merge(removed, view.closing).subscribe(() => {
            stop();
            controller.enqueue(Buffer.from(lastSeq < 0 ? "--multibox--\r\n" : "--\r\n"));
            controller.close();
          }),
        );
      },
      // The viewer has room: it gets the newest frame now instead of waiting for the next.
      pull: () => offer(view.latest.get(stream)),
      cancel: () => stop(),
    },
    { highWaterMark: 1 },
  );
}

/** Browsers show a part when they see the boundary after it, so that boundary goes along with it. */
function part({ seq, frame }: Detected, { data }: Jpeg, isFirst: boolean): Uint8Array {
  const head = [
    isFirst ? "--multibox" : "",
    "Content-Type: image/jpeg",
    `Content-Length: ${data.length}`,
    `X-Multibox-Seq: ${seq}`,
    `X-Multibox-Pts: ${frame.pts}`,
    "\r\n",
  ].join("\r\n");
  return Buffer.concat([Buffer.from(head), data, Buffer.from("\r\n--multibox")]);
}
