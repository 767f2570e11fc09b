// The thread that reads pictures for a training: looks at them once before it, and makes what the network is shown.
import { createHash } from "node:crypto";
import { parentPort, workerData } from "node:worker_threads";
import sharp from "sharp";
import { MultiboxError, sentenceOf } from "../../errors.ts";
import { perceptualHash } from "../../model/perceptual-hash.ts";
import { createSampler } from "../../model/sample.ts";
import type { SsdSpec } from "../../model/spec.ts";
import { augment, type Drawn } from "../augment.ts";
import type { Target } from "../match.ts";
import { type PictureFile, readPicture } from "./read-picture.ts";

/** What is asked of the thread. The picture is augmented as `drawn` says, and sampled whole where it says nothing. */
export type PictureTask =
  | { readonly kind: "look"; readonly picture: PictureFile }
  | {
      readonly kind: "view";
      readonly picture: PictureFile;
      readonly targets: readonly Target[];
      readonly drawn: Drawn | undefined;
    };

/** What is known of a picture once it was read. */
export interface Look {
  /** SHA-256 of the file, in hexadecimal digits. */
  readonly sha256: string;
  readonly hash: string;
}

/** What the network is shown of a picture: RGB of its input size, and the objects on it in shares of its sides. */
export interface View {
  readonly pixels: Uint8Array<ArrayBuffer>;
  readonly targets: readonly Target[];
}

export interface PictureRequest {
  readonly id: number;
  readonly task: PictureTask;
}

export type PictureReply =
  | { readonly id: number; readonly result: Look | View }
  | { readonly id: number; readonly error: { readonly code: string; readonly message: string; readonly hint: string } };

// The threads are the parallelism, and no picture comes twice.
sharp.concurrency(1);
sharp.cache(false);

const port = parentPort!;
const input = workerData as SsdSpec["input"];
const sample = createSampler(input);

port.on("message", ({ id, task }: PictureRequest) => {
  answer(task).then(
    (result) => reply({ id, result }, "pixels" in result ? [result.pixels.buffer] : []),
    (error: unknown) => reply({ id, error: toWire(error) }),
  );
});

async function answer(task: PictureTask): Promise<Look | View> {
  const { bytes, image } = await readPicture(task.picture);
  if (task.kind === "look") {
    return { sha256: createHash("sha256").update(bytes).digest("hex"), hash: perceptualHash(image) };
  }
  const pixels = new Uint8Array(input.width * input.height * 3);
  if (task.drawn) return { pixels, targets: augment(image, task.targets, input, task.drawn, pixels) };
  sample(image, pixels, 0);
  return { pixels, targets: task.targets };
}

function toWire(error: unknown): { code: string; message: string; hint: string } {
  if (error instanceof MultiboxError) return { code: error.code, message: error.message, hint: error.hint };
  return { code: "PICTURE_UNREADABLE", message: `It cannot be read: ${sentenceOf(error)}.`, hint: "" };
}

function reply(message: PictureReply, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}
