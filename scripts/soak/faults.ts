// What happens to a stream of the soak: one fault after another, drawn by a seed, each healed and waited for until the stream is live.
import { setTimeout as sleep } from "node:timers/promises";
import type { Multibox } from "../../test/support/multibox.ts";
import { childrenOf, processesWith } from "../../test/support/processes.ts";
import type { RtspServer } from "../../test/support/rtsp-server.ts";
import { PASSWORD, type SoakStream } from "./streams.ts";
import type { Watch } from "./watch.ts";

export interface Torment {
  readonly multibox: Multibox;
  readonly stream: SoakStream;
  /** 0..1 */
  readonly draw: () => number;
  /** No fault begins later, on the clock that never jumps. */
  readonly until: number;
  readonly watch: Watch;
}

/** What one stream went through: each fault, and the seconds from its end until the stream was live. */
export type Recovery = { readonly fault: string; readonly seconds: number };

/** A wrong password is tried again after a minute, an outage after 30 s at most; then ffmpeg must open on a busy machine. */
const PATIENCE_MS = 150_000;

type Fault = (torment: Torment, camera: RtspServer) => Promise<void>;

const hold = (draw: () => number, from: number, to: number): Promise<void> =>
  sleep(1000 * (from + draw() * (to - from)));

const CAMERA_FAULTS: Readonly<Record<string, Fault>> = {
  drop: async (_, camera) => camera.dropClients(),
  stall: async ({ draw }, camera) => {
    camera.stall();
    await hold(draw, 2, 25);
    camera.resume();
  },
  "half open": async ({ draw }, camera) => {
    camera.hang();
    camera.dropClients();
    await hold(draw, 2, 25);
    camera.resume();
  },
  "wrong password": async ({ draw }, camera) => {
    camera.setPassword("changed");
    camera.dropClients();
    await hold(draw, 2, 20);
    camera.setPassword(PASSWORD);
  },
  "not found": async ({ draw }, camera) => {
    camera.refuse(404);
    camera.dropClients();
    await hold(draw, 2, 20);
    camera.refuse(undefined);
  },
  resize: async ({ draw }, camera) =>
    camera.change("/cam1", { size: ["640x360", "360x640", "320x240", "1280x720"][Math.floor(draw() * 4)]!, fps: 5 }),
  garbage: async ({ draw }, camera) => {
    camera.disturb(0.02 + 0.2 * draw(), Math.floor(draw() * 1e6));
    await hold(draw, 2, 20);
    camera.disturb(0);
  },
  clock: async ({ draw }, camera) => camera.jump(Math.floor(draw() * 7200) - 3600),
  outage: async ({ draw }, camera) => {
    await camera.stop();
    await hold(draw, 1, 40);
    await camera.start();
  },
};

const FAULTS: Readonly<Record<string, Fault>> = {
  kill: async (all) => signal(all, "SIGKILL"),
  freeze: async (all) => signal(all, "SIGSTOP"),
  pause: async ({ multibox, stream: { id }, draw }) => {
    await ask(multibox, `/v1/streams/${id}/pause`, "POST");
    await hold(draw, 1, 10);
    await ask(multibox, `/v1/streams/${id}/resume`, "POST");
  },
  replace: async ({ multibox, stream: { id, config } }) => {
    await ask(multibox, `/v1/streams/${id}`, "DELETE");
    const answer = await multibox.add(config);
    if (!answer.ok) throw new Error(await answer.text());
  },
};

/** Breaks the stream again and again; all that went wrong is told to the watch. A stream without a camera has its processes. */
export async function torment(all: Torment): Promise<Recovery[]> {
  const { multibox, stream, draw, until, watch } = all;
  const recoveries: Recovery[] = [];
  // The first one shows that others do not notice.
  if (stream.id === "cam-0") return recoveries;
  const faults = Object.entries({ ...FAULTS, ...(stream.camera && CAMERA_FAULTS) });
  await recovered(multibox, stream.id);
  while (performance.now() < until) {
    await hold(draw, 3, 20);
    const [fault, happen] = faults[Math.floor(draw() * faults.length)]!;
    watch.note(stream.id, fault);
    await happen(all, stream.camera!);
    const healed = performance.now();
    const isLive = await recovered(multibox, stream.id);
    const seconds = (performance.now() - healed) / 1000;
    recoveries.push({ fault, seconds });
    watch.note(stream.id, "");
    watch.expect(isLive, `${stream.id} was not live ${seconds.toFixed(0)} s after "${fault}" was over`);
  }
  return recoveries;
}

/** Frames are detected again: two more than there are now. */
async function recovered(multibox: Multibox, id: string): Promise<boolean> {
  const deadline = performance.now() + PATIENCE_MS;
  let from: number | undefined;
  while (performance.now() < deadline) {
    const stream = (await multibox.streams()).find((one) => one.id === id);
    from = Math.min(from ?? Infinity, stream?.counts.detected ?? Infinity);
    if (stream?.state === "live" && stream.counts.detected >= from + 2) return true;
    await sleep(500);
  }
  return false;
}

/** To the ffmpegs that the server runs for this stream. */
function signal({ multibox, stream }: Torment, name: NodeJS.Signals): void {
  const own = childrenOf(multibox.pid);
  for (const pid of processesWith(stream.address).filter((one) => own.includes(one))) process.kill(pid, name);
}

async function ask(multibox: Multibox, path: string, method: string): Promise<void> {
  const answer = await multibox.ask(path, { method });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
}
