// Sources over HTTP and RTSP: real servers on loopback, real refusals, and a stream that is joined in the middle.
import { readFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findFfmpeg } from "../../src/pipeline/find-ffmpeg.ts";
import type { StreamConfig } from "../../src/pipeline/stream.ts";
import { ffmpeg, lumaPicture, makeFolder } from "../support/ffmpeg.ts";
import { processesWith } from "../support/processes.ts";
import { startRtspServer } from "../support/rtsp-server.ts";
import { collect, fileConfig } from "../support/source.ts";

let folder: Awaited<ReturnType<typeof makeFolder>>;
beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => folder.remove());

/** Serves over HTTP while `use` runs. */
async function serving<T>(listener: RequestListener, use: (config: StreamConfig) => Promise<T>): Promise<T> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  try {
    const { port } = server.address() as AddressInfo;
    return await use({ id: "test", url: `http://me:s3cret@127.0.0.1:${port}/cam`, loop: false, transport: "tcp" });
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

test.each([
  [401, "STREAM_AUTH_FAILED"],
  [403, "STREAM_FORBIDDEN"],
  [404, "STREAM_NOT_FOUND"],
  [500, "STREAM_FAILED"],
])("an answer of %i is %s, without the password", async (status, code) => {
  const { error } = await serving(
    (_request, response) => response.writeHead(status).end(),
    (config) => collect(config),
  );
  expect(error?.code).toBe(code);
  expect(String(error)).not.toContain("s3cret");
});

test("a page is no video", async () => {
  const { error } = await serving(
    (_request, response) => response.end("<!doctype html>".padEnd(2000)),
    (config) => collect(config),
  );
  expect(error?.code).toBe("STREAM_NOT_VIDEO");
});

test.each(["http", "rtsp"])("a closed port is STREAM_UNREACHABLE over %s", async (scheme) => {
  const { error } = await collect(fileConfig(`${scheme}://me:s3cret@127.0.0.1:1/x`));
  expect(error?.code).toBe("STREAM_UNREACHABLE");
  expect(String(error)).not.toContain("s3cret");
});

test.each(["mpeg2video", "mpeg4", "libx264"])(
  "a %s stream joined in mid-sentence begins with a whole picture",
  async (codec) => {
    const joined = join(folder.path, "joined.ts");
    await ffmpeg(lumaPicture("64x48", 25, 2, "200"), `-c:v ${codec} -g 25 -bf 0 -f mpegts`, joined);
    const data = await readFile(joined);
    const middle = Math.floor(data.length / 4 / 188) * 188;
    const { frames, error } = await serving(
      (_request, response) => response.end(data.subarray(middle)),
      (config) => collect(config, { poolSize: 100 }),
    );
    expect(error).toBeUndefined();
    expect(frames.length).toBeGreaterThan(10);
    expect(frames.every((frame) => Math.abs(frame.luma(20, 20) - 200) < 4)).toBe(true);
  },
);

test.each(["tcp", "udp"] as const)(
  "a camera plays over RTSP by %s, and the password does not show, nor in the arguments of ffmpeg",
  async (transport) => {
    const camera = await startRtspServer({ auth: { user: "me", password: "s3/cr#et" } });
    try {
      const url = camera.url("/cam1").replace("rtsp://", "rtsp://me:s3/cr#et@");
      const telling = new Set<number>();
      const look = (): void => {
        for (const text of ["s3/cr", "s3%2Fcr"]) for (const pid of processesWith(text)) telling.add(pid);
      };
      const { frames } = await collect({ id: "test", url, loop: false, transport }, { onDecoded: look }, 5);
      expect(frames).toHaveLength(5);
      // An older ffmpeg takes its URL as an argument alone.
      expect((await findFfmpeg()).takesScripts ? [...telling] : []).toEqual([]);
      expect(frames.every(({ live }) => live)).toBe(true);
      expect(camera.requests).toContain(`SETUP /cam1 200 ${transport}`);
      const wrong = { id: "test", url: url.replace("s3/cr", "wr/ong"), loop: false, transport };
      const { error } = await collect(wrong);
      expect(error?.code).toBe("STREAM_AUTH_FAILED");
      expect(String(error)).not.toContain("ong");
      expect(error?.message).toMatch(/: Server returned 401 Unauthorized \(authorization failed\)\.$/);
      const lost = await collect({ id: "test", url: url.replace("/cam1", "/cam9"), loop: false, transport });
      expect(lost.error?.code).toBe("STREAM_NOT_FOUND");
    } finally {
      await camera.close();
    }
  },
);
