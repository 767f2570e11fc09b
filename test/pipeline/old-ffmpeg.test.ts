// What is said of an ffmpeg older than 5.1: only where it plays network streams, and of its crash only before the first frame.
import { expect, test } from "vitest";
import type { Ffmpeg } from "../../src/pipeline/find-ffmpeg.ts";
import { oldFfmpegWarning } from "../../src/pipeline/old-ffmpeg.ts";
import { sourceError } from "../../src/pipeline/source-error.ts";
import type { StreamConfig } from "../../src/pipeline/stream.ts";

const modern: Ffmpeg = { path: "/usr/bin/ffmpeg", version: "5.1.9", syncOption: "-fps_mode", takesScripts: true };
const old: Ffmpeg = { ...modern, path: "/opt/ffmpeg", version: "N-47683", syncOption: "-vsync", warning: "It is old." };
const camera: StreamConfig = { id: "a", url: "rtsp://me:s3cret@cam/1", loop: false, transport: "tcp" };
const file: StreamConfig = { ...camera, url: "/videos/a.avi" };

test("network streams have a warning that names the version, and neither the path nor a password", () => {
  const warning = oldFfmpegWarning(camera, old);
  expect(warning).toMatchObject({ code: "FFMPEG_OLD", message: expect.stringContaining("N-47683") as unknown });
  expect(`${warning}`).not.toMatch(/\/opt|s3cret/);
  expect(oldFfmpegWarning({ ...camera, url: "https://cam/x.m3u8" }, old)).toBeDefined();
  expect(oldFfmpegWarning(file, old)).toBeUndefined();
  expect(oldFfmpegWarning(camera, modern)).toBeUndefined();
});

test("its crash while it opens a network stream is explained by the look-up of host names", () => {
  const crash = { code: null, signal: "SIGSEGV", stderrTail: [] } as const;
  const codeOf = (config: StreamConfig, decoded: number, ffmpeg: Ffmpeg): string | undefined =>
    sourceError(config, crash, decoded, ffmpeg)?.code;
  expect(String(sourceError(camera, crash, 0, old))).toMatch(/^FFMPEG_OLD: .*host names.* IP address/);
  expect(codeOf(camera, 7, old)).toBe("FFMPEG_DIED");
  expect(codeOf(file, 0, old)).toBe("FFMPEG_DIED");
  expect(codeOf(camera, 0, modern)).toBe("FFMPEG_DIED");
});
