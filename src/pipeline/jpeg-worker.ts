// The thread that makes JPEGs: reads shared pictures where they lie, converts, resizes, encodes.
import { parentPort } from "node:worker_threads";
import sharp from "sharp";
import type { Picture } from "../model/detection.ts";
import { yuvToRgb } from "./yuv-to-rgb.ts";

export interface JpegRequest {
  readonly id: number;
  readonly picture: Picture;
  readonly width: number;
  readonly height: number;
  readonly quality: number;
}

export type JpegReply =
  | { readonly id: number; readonly data: Uint8Array<ArrayBuffer> }
  | { readonly id: number; readonly error: string };

// One thread a picture; the engine needs the other cores more. Nothing that is encoded comes twice.
sharp.concurrency(1);
sharp.cache(false);

const port = parentPort!;
port.on("message", (request: JpegRequest) => {
  encode(request).then(
    (data) => reply({ id: request.id, data }),
    (error: unknown) => reply({ id: request.id, error: error instanceof Error ? error.message : String(error) }),
  );
});

async function encode({ picture, width, height, quality }: JpegRequest): Promise<Uint8Array<ArrayBuffer>> {
  const rgb = picture.format === "rgb24" ? picture : yuvToRgb(picture, width);
  const image = sharp(rgb.data, { raw: { width: rgb.width, height: rgb.height, channels: 3 } });
  if (rgb.width !== width || rgb.height !== height)
    image.resize(width, height, { fit: "fill", fastShrinkOnLoad: false });
  // A copy with a buffer of its own, which can be handed over without another.
  return new Uint8Array(await image.jpeg({ quality, mozjpeg: false }).toBuffer());
}

function reply(message: JpegReply): void {
  port.postMessage(message, "data" in message ? [message.data.buffer] : []);
}
