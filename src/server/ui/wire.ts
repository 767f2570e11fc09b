// What the socket brings, taken apart: text messages, and binary ones that hold a frame's detections and its JPEG.
import type { Detections, Hello, ServerMessage } from "../protocol.ts";

/** The protocol this page speaks; the type ties it to the server's number without shipping the schemas. */
export const PROTOCOL: Hello["protocol"] = 1;

/** A picture and the detections of that very picture. */
export interface PictureMessage {
  readonly detections: Detections;
  readonly jpeg: Uint8Array<ArrayBuffer>;
}

const LENGTH_BYTES = 4;
const TYPES: readonly ServerMessage["type"][] = ["hello", "result", "detections", "stream", "job", "training"];

/** `uint32 BE length | JSON | JPEG`. Throws an Error with a sentence when the bytes are not that. */
export function parseBinary(buffer: ArrayBuffer): PictureMessage {
  if (buffer.byteLength < LENGTH_BYTES)
    throw new Error(`A binary message of ${buffer.byteLength} bytes has no length.`);
  const length = new DataView(buffer).getUint32(0);
  const end = LENGTH_BYTES + length;
  if (end > buffer.byteLength) {
    throw new Error(`A binary message of ${buffer.byteLength} bytes announces ${length} bytes of JSON.`);
  }
  const message = parseText(new TextDecoder().decode(new Uint8Array(buffer, LENGTH_BYTES, length)));
  if (message?.type !== "detections") throw new Error("A binary message holds no detections.");
  return { detections: message, jpeg: new Uint8Array(buffer, end) };
}

/** A message of the server, or undefined for a type that this page does not know (a newer server's). */
export function parseText(text: string): ServerMessage | undefined {
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null || !("type" in value)) return undefined;
  return TYPES.some((type) => type === value.type) ? (value as ServerMessage) : undefined;
}
