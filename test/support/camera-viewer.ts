// Watches a camera as the server does, by openSource under supervise, and keeps what was told of it.
import type { Subscription } from "rxjs";
import { expect, vi } from "vitest";
import type { MultiboxError } from "../../src/errors.ts";
import type { DropCause, Frame } from "../../src/pipeline/frame.ts";
import { openSource } from "../../src/pipeline/source.ts";
import type { StreamConfig, StreamState } from "../../src/pipeline/stream.ts";
import { supervise } from "../../src/pipeline/supervise.ts";

export interface CameraViewer {
  /** In the order they were told; the error's code, message and hint as one text. */
  readonly told: readonly { readonly state: StreamState; readonly code?: string; readonly text: string }[];
  /** The states, each once as long as it lasted. */
  readonly states: readonly StreamState[];
  /** The frames of the current run, all released. */
  readonly run: readonly Frame[];
  readonly books: { readonly decoded: number; readonly emitted: number; readonly drops: readonly DropCause[] };
  /** Resolves once so many more frames have come. */
  moreFrames(count: number): Promise<void>;
  /** Resolves once it has been in this state so many times. */
  reaches(state: StreamState, times?: number): Promise<void>;
  /** Gives up, and resolves when every ffmpeg that was started is gone. */
  close(): Promise<void>;
}

export interface ViewOptions {
  /** Longer by default than anything here takes: a busy machine is no stalled camera. */
  readonly stallMs?: number;
  readonly transport?: StreamConfig["transport"];
}

/** Long enough for a busy machine. A test waits for conditions, never for a time. */
export const WAIT = { timeout: 25_000, interval: 10 };

export function viewCamera(url: string, { stallMs = 15_000, transport = "tcp" }: ViewOptions = {}): CameraViewer {
  const config: StreamConfig = { id: "cam", url, loop: false, transport };
  const told: { state: StreamState; code?: string; text: string }[] = [];
  const drops: DropCause[] = [];
  let run: Frame[] = [];
  let [decoded, emitted, opened, closed] = [0, 0, 0, 0];

  const open = (alive: () => void): ReturnType<typeof openSource> => {
    opened += 1;
    run = [];
    return openSource(config, {
      maxDecodeWidth: 1920,
      poolSize: 2,
      onDecoded: () => {
        decoded += 1;
        alive();
      },
      onDrop: (cause) => void drops.push(cause),
      onClosed: () => void (closed += 1),
    });
  };
  const onState = (state: StreamState, error?: MultiboxError): void => {
    told.push({ state, text: error?.toString() ?? "", ...(error && { code: error.code }) });
  };
  const subscription: Subscription = supervise(config, open, {
    stallMs,
    onState,
    backOff: { firstMs: 100, maxMs: 300, factor: 2, jitter: 0.5 },
    misconfiguredMs: 300,
  }).subscribe((frame) => {
    emitted += 1;
    run.push(frame);
    frame.release();
  });

  const viewer: CameraViewer = {
    told,
    get states() {
      return told.map(({ state }) => state).filter((state, i, all) => state !== all[i - 1]);
    },
    get run() {
      return run;
    },
    get books() {
      return { decoded, emitted, drops };
    },
    async moreFrames(count) {
      const target = emitted + count;
      await vi.waitFor(() => expect(emitted).toBeGreaterThanOrEqual(target), WAIT);
    },
    async reaches(state, times = 1) {
      const seen = (): number => viewer.states.filter((one) => one === state).length;
      await vi.waitFor(() => expect(seen(), `${state} in ${viewer.states.join()}`).toBeGreaterThanOrEqual(times), WAIT);
    },
    async close() {
      subscription.unsubscribe();
      await vi.waitFor(() => expect(closed).toBe(opened), WAIT);
    },
  };
  return viewer;
}
