// A camera by RTSP, with real sockets and a real ffmpeg: it is watched, refuses, dies, comes back and falls silent.
import { describe, expect, it, vi } from "vitest";
import { viewCamera, WAIT, type CameraViewer, type ViewOptions } from "../support/camera-viewer.ts";
import { processesWith } from "../support/processes.ts";
import { startRtspServer, type RtspServer, type RtspServerOptions } from "../support/rtsp-server.ts";

const auth = { user: "cam", password: "p@ss:w/rd#1?100%" };
const transports = ["tcp", "udp"] as const;

describe("a camera by RTSP", { timeout: 60_000 }, () => {
  it.each([
    ["tcp", "as it is"],
    ["udp", "as it is"],
    ["tcp", "encoded"],
  ] as const)("is watched over %s with Digest and a difficult password, written %s", async (transport, written) => {
    await withCamera({ auth }, async (camera) => {
      const url = written === "encoded" ? camera.url("/cam1", auth) : bareUrl(camera, auth.password);
      await view(camera, url, { transport }, async (viewer) => {
        await viewer.moreFrames(10);
        expect(ffmpegsOf(camera)).toHaveLength(1);
        expect(viewer.states).toEqual(["connecting", "live"]);
        expect(camera.requests).toContain("DESCRIBE /cam1 401");
        expect(camera.requests).toContain(`SETUP /cam1 200 ${transport}`);
        const [first] = viewer.run;
        expect(first).toMatchObject({ stream: "cam", index: 0, live: true, picture: { width: 320, height: 240 } });
        const times = viewer.run.map(({ pts }) => pts);
        expect(times).toEqual(times.toSorted((a, b) => a - b));
        expect(new Set(times).size).toBe(times.length);
        // The test picture has many levels; what is shown before a key frame has one.
        expect(new Set(first!.picture.data.subarray(0, 320 * 240)).size).toBeGreaterThan(16);
        const { decoded, emitted, drops } = viewer.books;
        expect(decoded).toBe(emitted + drops.length);
      });
    });
  });

  it("says that the password is wrong, tries on slowly, and is live once it is right", async () => {
    await withCamera({ auth: { ...auth, password: "another" } }, async (camera) => {
      await view(camera, bareUrl(camera, auth.password), {}, async (viewer) => {
        await viewer.reaches("misconfigured");
        expect(codes(viewer)).toEqual(["STREAM_AUTH_FAILED"]);
        camera.setPassword(auth.password);
        await viewer.moreFrames(5);
        expect(viewer.states).toEqual(["connecting", "misconfigured", "live"]);
      });
    });
  });

  it("says that there is nothing at this path", async () => {
    await withCamera({ auth }, async (camera) => {
      await view(camera, camera.url("/yard@home", auth), {}, async (viewer) => {
        await viewer.reaches("misconfigured");
        expect(codes(viewer)).toEqual(["STREAM_NOT_FOUND"]);
        expect(viewer.states).toEqual(["connecting", "misconfigured"]);
      });
    });
  });

  it.each(transports)("comes back after it was switched off and on again, over %s", async (transport) => {
    await withCamera({ auth }, async (camera) => {
      await view(camera, camera.url("/cam1", auth), { transport }, async (viewer) => {
        await viewer.moreFrames(5);
        await camera.stop();
        await vi.waitFor(() => expect(codes(viewer)).toContain("STREAM_UNREACHABLE"), WAIT);
        await camera.start();
        await viewer.reaches("live", 2);
        await viewer.moreFrames(5);
        expect(viewer.states).toEqual(["connecting", "live", "retrying", "live"]);
        expect(viewer.run[0]).toMatchObject({ index: 0 });
      });
    });
  });

  it.each(transports)("is found stalled when it falls silent over %s, and goes on when it does", async (transport) => {
    await withCamera({ auth }, async (camera) => {
      await view(camera, camera.url("/cam1", auth), { transport, stallMs: 4000 }, async (viewer) => {
        await viewer.moreFrames(5);
        // On a busy machine ffmpeg may have been too slow to begin, and counts as stalled once already.
        const times = (state: string): number => viewer.states.filter((one) => one === state).length;
        const stalls = times("stalled");
        camera.stall();
        await viewer.reaches("stalled", stalls + 1);
        expect(codes(viewer)).toContain("STREAM_STALLED");
        const before = times("live");
        camera.resume();
        await viewer.reaches("live", before + 1);
        await viewer.moreFrames(5);
      });
    });
  });
});

describe("a camera by RTSP that changes while it is watched", { timeout: 60_000 }, () => {
  it("has times that go on when its clock is set back, and overflow", async () => {
    await withCamera({}, async (camera) => {
      await view(camera, camera.url("/cam1"), {}, async (viewer) => {
        await viewer.moreFrames(100);
        camera.jump(-2.5);
        await viewer.moreFrames(50);
        const times = viewer.run.map(({ pts }) => pts);
        const steps = times.slice(1).map((time, i) => time - times[i]!);
        // Only in whole pictures: one that came too late for a buffer is left out.
        expect(steps.every((step) => Math.abs(step * 25 - Math.round(step * 25)) < 0.01 && step > 0.03)).toBe(true);
        expect(times.at(-1)! - times[0]!).toBeLessThan(10);
        expect(viewer.states).toEqual(["connecting", "live"]);
      });
    });
  });

  it.each(["640x360", "240x320"])("is started again when its pictures are %s all at once", async (size) => {
    await withCamera({}, async (camera) => {
      await view(camera, camera.url("/cam1"), {}, async (viewer) => {
        await viewer.moreFrames(5);
        await camera.change("/cam1", { size });
        await viewer.reaches("live", 2);
        expect(codes(viewer)).toEqual(["STREAM_CHANGED"]);
        const [width, height] = size.split("x").map(Number);
        expect(viewer.run[0]).toMatchObject({ index: 0, picture: { width, height } });
      });
    });
  });
});

async function withCamera(options: RtspServerOptions, use: (camera: RtspServer) => Promise<void>): Promise<void> {
  const camera = await startRtspServer(options);
  try {
    await use(camera);
  } finally {
    await camera.close();
  }
}

/** Watches the camera during the test; afterwards no ffmpeg is left and nobody has told the password. */
async function view(
  camera: RtspServer,
  url: string,
  options: ViewOptions,
  use: (viewer: CameraViewer) => Promise<void>,
): Promise<void> {
  const viewer = viewCamera(url, options);
  try {
    await use(viewer);
  } finally {
    await viewer.close();
  }
  expect(ffmpegsOf(camera)).toEqual([]);
  for (const { text } of viewer.told) {
    for (const secret of [auth.password, encodeURIComponent(auth.password), "p@ss", "p%40ss", "w/rd", "w%2Frd"]) {
      expect(text).not.toContain(secret);
    }
  }
}

/** The URL as people write it, with nothing encoded. */
function bareUrl(camera: RtspServer, password: string): string {
  return camera.url("/cam1").replace("://", `://${auth.user}:${password}@`);
}

const codes = (viewer: CameraViewer): string[] => viewer.told.flatMap(({ code }) => code ?? []);

/** The processes that watch this camera: only they have its address among their arguments. */
const ffmpegsOf = (camera: RtspServer): number[] => processesWith(`127.0.0.1:${camera.port}/`);
