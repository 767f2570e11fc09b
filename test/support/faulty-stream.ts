// A stream of a running server whose camera a test breaks, and what must be true of any stream afterwards.
import { expect } from "vitest";
import type { StreamEvent, StreamInfo } from "../../src/server/protocol.ts";
import { gapOf, type Multibox } from "./multibox.ts";
import { childrenOf, processesWith, until } from "./processes.ts";
import { startRtspServer, type RtspServer, type RtspServerOptions } from "./rtsp-server.ts";
import type { SocketClient } from "./socket-client.ts";

export interface FaultyStream {
  readonly id: string;
  readonly camera: RtspServer;
  readonly client: SocketClient;
  /** The ffmpegs that watch this camera for the server. */
  ffmpegs(): number[];
  /** The first such event after the one that was waited for last. */
  becomes(state: StreamEvent["state"], code?: string): Promise<StreamEvent>;
  /** As `GET /v1/streams` has it. */
  info(): Promise<StreamInfo>;
  /** Resolves once so many more frames are detected. */
  detects(count: number): Promise<void>;
}

export interface FaultyOptions extends RtspServerOptions {
  readonly id: string;
  readonly transport?: "tcp" | "udp";
  /** The stream's URL, where it is not simply that of the camera. */
  readonly url?: (camera: RtspServer) => string;
  /** Ask for each frame's picture as well. */
  readonly pictures?: boolean;
}

/** Few pictures a second, because many cameras fail at the same time in these tests. */
export const CALM = { "/cam1": { fps: 5 } };

/** What a stream may lose that was well all the time: frames that newer ones have replaced, or that a busy engine came too late for. */
const HARMLESS = ["superseded", "rate", "stale"];

/** Adds the stream to the server, breaks it, and sees that it is well afterwards: in its states, numbers, books and processes. */
export async function withFaultyStream(
  multibox: Multibox,
  options: FaultyOptions,
  breakIt: (stream: FaultyStream) => Promise<void>,
): Promise<void> {
  const { id, transport = "tcp", url = (it: RtspServer) => it.url("/cam1"), pictures = false } = options;
  const camera = await startRtspServer({ paths: CALM, ...options });
  const address = `127.0.0.1:${camera.port}/`;
  try {
    const client = await multibox.connect();
    const answer = await multibox.add({ id, url: url(camera), transport });
    expect(answer.status).toBe(201);
    const asked = await client.ask({ type: "subscribe", streams: [id], ...(pictures && { pictures: 320 }) });
    expect(asked.ok).toBe(true);
    let told = 0;
    const stream: FaultyStream = {
      id,
      camera,
      client,
      ffmpegs: () => processesWith(address).filter((pid) => childrenOf(multibox.pid).includes(pid)),
      async becomes(state, code) {
        const event = await client.until<StreamEvent>(
          (m) => m.type === "stream" && m.stream === id && m.state === state && client.messages.indexOf(m) >= told,
        );
        told = client.messages.indexOf(event) + 1;
        if (code !== undefined) expect(event.error?.code).toBe(code);
        return event;
      },
      info: async () => (await multibox.streams()).find((one) => one.id === id)!,
      async detects(count) {
        const from = client.detections(id).at(-1)?.seq ?? -1;
        await client.untilSeq(from + count, id);
      },
    };
    await breakIt(stream);
    await expectWell(stream);
    client.socket.close();
    expect((await multibox.ask(`/v1/streams/${id}`, { method: "DELETE" })).ok).toBe(true);
    await until(() => processesWith(address).length === 0);
  } finally {
    await camera.close();
  }
}

/** The stream is live, and what it has told is whole: it numbers its frames without a gap that it does not tell, and its books close. */
export async function expectWell(stream: FaultyStream): Promise<void> {
  const { id, client } = stream;
  await stream.detects(3);
  const info = await stream.info();
  expect(info).toMatchObject({ id, state: "live" });
  expect(info.error).toBeUndefined();
  expect(gapOf(info)).toBe(0);
  // Pictures may be left out where their encoder is behind, and are counted.
  const messages = client.detections(id);
  const due = messages.slice(1).map(({ dropped }, i) => messages[i]!.seq + dropped + 1);
  expect(messages.slice(1).map(({ seq }) => seq)).toEqual(due);
  expect(Object.keys(info.counts.dropped).filter((cause) => !HARMLESS.includes(cause))).toEqual([]);
}

/** Nothing has happened to it since it was live first, `since`: no restart, and no loss but of frames that newer ones replaced. */
export async function expectUnharmed(stream: FaultyStream, since: string): Promise<void> {
  await expectWell(stream);
  expect((await stream.info()).since).toBe(since);
  const events = stream.client.messages.filter((m) => m.type === "stream" && m.stream === stream.id);
  expect(events.filter((m) => m.type === "stream" && m.since > since)).toEqual([]);
  const times = stream.client.detections(stream.id).map(({ pts }) => pts);
  expect(times.every((time, i) => i === 0 || time > times[i - 1]!)).toBe(true);
}
