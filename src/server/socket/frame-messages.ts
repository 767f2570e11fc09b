// One detected frame on its way to clients: what several of them get alike is made once.
import type { Detected } from "../../pipeline/frame.ts";
import type { Jpeg } from "../../pipeline/jpeg.ts";
import type { Pictures } from "../streams/pictures.ts";
import type { Detections } from "../protocol.ts";
import { recordOf, type FrameRecord } from "../history/frame-record.ts";
import { isoTime } from "../streams/streams.ts";

/** Which detections a client wants. Equal filters have equal keys. */
export interface Filter {
  readonly key: string;
  readonly labels: ReadonlySet<string> | undefined;
  readonly minScore: number;
}

export function createFilter(labels: readonly string[] | undefined, minScore: number): Filter {
  const set = labels && new Set(labels);
  return { key: JSON.stringify([minScore, set && [...set].sort()]), labels: set, minScore };
}

export function filterDetections(
  detections: FrameRecord["detections"],
  { labels, minScore }: Filter,
): Detections["detections"] {
  return detections.filter(({ score, label }) => score >= minScore && (labels?.has(label) ?? true));
}

/** A message whose last field, how many before it were missed, differs from client to client. */
export interface FrameMessage {
  readonly bytes: number;
  readonly binary: boolean;
  write(dropped: number): Buffer;
}

/** One frame of the history, for the one client that asked for it. */
export function recordMessage(record: FrameRecord, detections: Detections["detections"]): FrameMessage {
  return textMessage(headOf(record, detections));
}

/** The messages of one frame, while it is being handed to the clients. */
export class FrameMessages {
  readonly detected: Detected;
  readonly record: FrameRecord;
  readonly #pictures: Pictures;
  readonly #filtered = new Map<string, Detections["detections"]>();
  readonly #heads = new Map<string, string>();
  readonly #messages = new Map<string, FrameMessage>();

  constructor(detected: Detected, pictures: Pictures) {
    this.detected = detected;
    this.record = recordOf(detected);
    this.#pictures = pictures;
  }

  /** What the filter lets through. */
  detections(filter: Filter): Detections["detections"] {
    const known = this.#filtered.get(filter.key) ?? filterDetections(this.record.detections, filter);
    this.#filtered.set(filter.key, known);
    return known;
  }

  text(filter: Filter): FrameMessage {
    return this.#message(filter.key, () => textMessage(this.#head(filter)));
  }

  /** The frame's JPEG, for `withPicture`; undefined when the encoder is behind. */
  picture(width: number): Promise<Jpeg> | undefined {
    return this.#pictures.offer(this.detected, width);
  }

  withPicture(filter: Filter, jpeg: Jpeg): FrameMessage {
    return this.#message(`${filter.key} ${jpeg.width}`, () => pictureMessage(this.#head(filter), jpeg));
  }

  #message(key: string, make: () => FrameMessage): FrameMessage {
    const message = this.#messages.get(key) ?? make();
    this.#messages.set(key, message);
    return message;
  }

  /** The JSON but for its end. */
  #head(filter: Filter): string {
    const known = this.#heads.get(filter.key);
    if (known !== undefined) return known;
    const head = headOf(this.record, this.detections(filter));
    this.#heads.set(filter.key, head);
    return head;
  }
}

/** The JSON of a message but for its end. */
function headOf({ time, ...rest }: FrameRecord, detections: Detections["detections"]): string {
  const message: Omit<Detections, "dropped"> = { type: "detections", ...rest, time: isoTime(time), detections };
  return JSON.stringify(message).slice(0, -1);
}

function textMessage(head: string): FrameMessage {
  const write = (dropped: number): Buffer => Buffer.from(`${head},"dropped":${dropped}}`);
  return once({ bytes: head.length + 16, binary: false, write });
}

/** As `Detections` in protocol.ts says: length of the JSON, JSON, JPEG. */
function pictureMessage(head: string, jpeg: Jpeg): FrameMessage {
  const write = (dropped: number): Buffer => {
    const json = Buffer.from(`${head},"dropped":${dropped}}`);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(json.length);
    return Buffer.concat([length, json, jpeg.data]);
  };
  return once({ bytes: head.length + 20 + jpeg.data.length, binary: true, write });
}

/** Clients that have missed nothing, nearly all, share the same bytes. */
function once(message: FrameMessage): FrameMessage {
  let whole: Buffer | undefined;
  return { ...message, write: (dropped) => (dropped > 0 ? message.write(dropped) : (whole ??= message.write(0))) };
}
