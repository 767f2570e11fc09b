// Messages of a server, for tests of the page.
import type { Detections, Hello, StreamInfo } from "../../../src/server/protocol.ts";

export function streamInfo(id: string, more: Partial<StreamInfo> = {}): StreamInfo {
  return {
    id,
    url: `/videos/${id}.mp4`,
    state: "live",
    since: "2026-01-01T00:00:00.000Z",
    fps: { decoded: 25, detected: 12.5 },
    counts: { decoded: 10, detected: 6, inFlight: 1, dropped: { superseded: 3 } },
    settings: { loop: true, transport: "tcp" },
    ...more,
  };
}

export function hello(streams: StreamInfo[]): Hello {
  return {
    type: "hello",
    protocol: 1,
    server: { name: "multibox", version: "1.2.3" },
    model: { name: "scripted", version: "1" },
    labels: ["car", "person"],
    scope: "admin",
    streams,
  };
}

export function detections(stream: string, seq: number, more: Partial<Detections> = {}): Detections {
  return {
    type: "detections",
    stream,
    seq,
    pts: seq / 25,
    time: "2026-01-01T00:00:00.000Z",
    width: 320,
    height: 180,
    model: { name: "scripted", version: "1" },
    timing: { queueMs: 1, inferMs: 10, totalMs: 12 },
    detections: [],
    dropped: 0,
    ...more,
  };
}

/** `uint32 BE length | JSON | JPEG`. */
export function binary(message: unknown, jpeg: readonly number[] = [0xff, 0xd8]): ArrayBuffer {
  const json = new TextEncoder().encode(JSON.stringify(message));
  const bytes = new Uint8Array(4 + json.length + jpeg.length);
  new DataView(bytes.buffer).setUint32(0, json.length);
  bytes.set(json, 4);
  bytes.set(jpeg, 4 + json.length);
  return bytes.buffer;
}
