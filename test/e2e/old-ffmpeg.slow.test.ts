// A server whose only ffmpeg is the one that npm installs, of 2018: network streams have a warning, in the log and wherever streams are listed.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { expect, test } from "vitest";
import { withMultibox } from "../support/multibox.ts";

const shipped = ((): string | undefined => {
  try {
    const { path } = createRequire(import.meta.url)("@ffmpeg-installer/ffmpeg") as { readonly path: string };
    return existsSync(path) ? path : undefined;
  } catch {
    return undefined;
  }
})();

test.skipIf(shipped === undefined)(
  "a network stream on npm's ffmpeg (where npm has installed it) has a warning; a file has none",
  async () => {
    const args = ["--no-demo", "--stream", "cam=rtsp://127.0.0.1:9/x", "--stream", "name=rtsp://localhost:9/x"];
    await withMultibox(
      args,
      async (multibox) => {
        const { warnings } = await multibox.streamOnce("cam", ({ error }) => error !== undefined);
        expect(warnings).toEqual([expect.objectContaining({ code: "FFMPEG_OLD" })]);
        expect(multibox.stderr).toMatch(/FFMPEG_OLD.*Stream \\"cam\\"|Stream \\"cam\\".*FFMPEG_OLD/);
        const { error } = await multibox.streamOnce("name", (stream) => stream.error !== undefined);
        // That build is linked statically and crashes on a host name; on another machine it may only be refused.
        expect(error?.code).toMatch(/^(FFMPEG_OLD|STREAM_UNREACHABLE)$/);
        const client = await multibox.connect();
        const hello = await client.until(({ type }) => type === "hello");
        client.socket.close();
        expect(JSON.stringify(hello)).toContain("FFMPEG_OLD");
      },
      { FFMPEG_PATH: shipped },
    );
  },
);
