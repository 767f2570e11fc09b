// From what ffmpeg said last to what the user reads. The lines are as ffmpeg 4.1 to 7.1 print them.
import { describe, expect, test } from "vitest";
import { changeOf, refusalOf, sourceError, truncationOf } from "../../src/pipeline/source-error.ts";
import type { StreamConfig } from "../../src/pipeline/stream.ts";

const camera: StreamConfig = { id: "a", url: "rtsp://me:s3cret@cam/1", loop: false, transport: "tcp" };
const file: StreamConfig = { ...camera, url: "/videos/a.avi" };

const codeOf = (...stderrTail: string[]): string | undefined =>
  sourceError(camera, { code: 1, signal: null, stderrTail }, 0)?.code;

test("an unknown host is named, and a refused transport names the setting that helps", () => {
  const failed = (...stderrTail: string[]): string =>
    `${sourceError(camera, { code: 1, signal: null, stderrTail }, 0)}`;
  const unknown = "[tcp @ 0x55] [error] Failed to resolve hostname camera.invalid: Name or service not known";
  expect(failed(unknown, "[error] rtsp://camera.invalid/x: Input/output error")).toMatch(
    /^STREAM_UNREACHABLE: .* Host camera\.invalid was not found \(Name or service not known\)\./,
  );
  expect(failed("[rtsp @ 0x55] [error] method SETUP failed: 461 Unsupported transport")).toMatch(
    /^STREAM_TRANSPORT_REFUSED: .*`transport: udp`/,
  );
});

describe("the code", () => {
  test.each([
    ["[rtsp @ 0x55] [error] method DESCRIBE failed: 401 Unauthorized", "STREAM_AUTH_FAILED"],
    ["[error] rtsp://x/1: Server returned 401 Unauthorized (authorization failed)", "STREAM_AUTH_FAILED"],
    ["[http @ 0x55] [error] HTTP error 403 Forbidden", "STREAM_FORBIDDEN"],
    ["[rtsp @ 0x55] [error] method DESCRIBE failed: 404 Not Found", "STREAM_NOT_FOUND"],
    ["[error] rtsp://x/1: Connection refused", "STREAM_UNREACHABLE"],
    ["[error] rtsp://x/1: No route to host", "STREAM_UNREACHABLE"],
    [
      "[tcp @ 0x55] [error] Failed to resolve hostname nowhere.invalid: Name or service not known",
      "STREAM_UNREACHABLE",
    ],
    ["[error] rtsp://x/1: Connection timed out", "STREAM_UNREACHABLE"],
    ["[error] file:a: Invalid data found when processing input", "STREAM_NOT_VIDEO"],
    ["[fatal] Stream map '0:V:0' matches no streams.", "STREAM_NOT_VIDEO"],
    ["[mov,mp4 @ 0x55] [error] moov atom not found", "STREAM_NOT_VIDEO"],
    ["[error] file:/videos/a.mkv: End of file", "STREAM_EMPTY"],
    ["[error] Cannot determine format of input stream 0:0 after EOF", "STREAM_EMPTY"],
    ["[error] srt://x: Protocol not found", "STREAM_BAD_SCHEME"],
    ["[error] file:a: Permission denied", "FILE_NOT_READABLE"],
    ["[error] x: Something that was never seen", "STREAM_FAILED"],
  ])("%s -> %s", (line, code) => {
    expect(codeOf("[info] Input #0, from 'x':", line)).toBe(code);
  });

  test("the cause counts, not its consequence", () => {
    expect(
      codeOf(
        "[rtsp @ 0x5] [error] method SETUP failed: 401 Unauthorized",
        "[error] x: Invalid data found when processing input",
      ),
    ).toBe("STREAM_AUTH_FAILED");
  });

  test("the names in a stream's description are no errors", () => {
    expect(codeOf("[info]     title           : 404 Not Found", "[error] x: broke")).toBe("STREAM_FAILED");
  });
});

test("the sentence has the last error, no tags, and no trace of the password", () => {
  const stderrTail = [
    "[error] rtsp://me:s3cret@cam/1: Server returned 401 Unauthorized (authorization failed)",
    "Conversion failed!",
  ];
  const error = sourceError(camera, { code: 1, signal: null, stderrTail }, 0)!;
  expect(error.message).toBe(
    '"rtsp://cam/1" refuses the user name or password: Server returned 401 Unauthorized (authorization failed).',
  );
  expect(error.hint).not.toBe("");
});

test("a success with pictures is none, a success without is STREAM_EMPTY", () => {
  const exit = { code: 0, signal: null, stderrTail: [] };
  expect(sourceError(camera, exit, 1)).toBeUndefined();
  expect(sourceError(camera, exit, 0)?.code).toBe("STREAM_EMPTY");
});

test("an ffmpeg that was killed died, whatever it had said before", () => {
  const killed = { code: null, signal: "SIGKILL", stderrTail: ["[error] x: Connection refused"] } as const;
  expect(sourceError(camera, killed, 9)?.code).toBe("FFMPEG_DIED");
  const asked = { code: 255, signal: null, stderrTail: ["[info] Exiting normally, received signal 15."] };
  expect(sourceError(camera, asked, 9)?.code).toBe("FFMPEG_DIED");
});

test("what breaks off after some pictures is truncated, not no video", () => {
  const stderrTail = ["[error] file:a: Invalid data found when processing input"];
  expect(sourceError(file, { code: 1, signal: null, stderrTail }, 7)?.code).toBe("STREAM_TRUNCATED");
});

test("a text or a single picture is no video, a file of many JPEGs is one, and so is what a camera sends", () => {
  const refusal = (url: string, format: string): string | undefined =>
    refusalOf({ ...file, url }, `[info] Input #0, ${format}, from 'file:x':`)?.code;
  expect(refusal("/videos/a.txt", "tty")).toBe("STREAM_NOT_VIDEO");
  expect(refusal("/videos/a.jpg", "image2")).toBe("STREAM_NOT_VIDEO");
  expect(refusal("/videos/a.mp4", "png_pipe")).toBe("STREAM_NOT_VIDEO");
  expect(refusal("/videos/a.mjpeg", "jpeg_pipe")).toBeUndefined();
  expect(refusal("http://cam/video", "jpeg_pipe")).toBeUndefined();
  expect(refusal("/videos/a.avi", "avi")).toBeUndefined();
});

test("the sentence does not repeat the file that ffmpeg names", () => {
  const stderrTail = ["[error] file:/videos/a.avi: Invalid data found when processing input"];
  const { message } = sourceError(file, { code: 1, signal: null, stderrTail }, 0)!;
  expect(message).toBe('"/videos/a.avi" is no video that ffmpeg can read: Invalid data found when processing input.');
});

test("a file that ended well but is damaged gets a warning, a camera with a lost packet does not", () => {
  const exit = { code: 0, signal: null, stderrTail: ["[avi @ 0x5] [warning] Packet corrupt (stream = 0, dts = 16)."] };
  expect(truncationOf(file, exit)?.message).toBe(
    '"/videos/a.avi" is damaged or cut short: Packet corrupt (stream = 0, dts = 16).',
  );
  expect(truncationOf(camera, exit)).toBeUndefined();
  expect(truncationOf(file, { ...exit, stderrTail: [] })).toBeUndefined();
});

test("pictures of another size are a change, and said so without the password", () => {
  const line = "[Parsed_showinfo_3 @ 0x55d348e9ff00] [info] config in time_base: 1/90000, frame_rate: 25/1";
  expect(changeOf(camera, line)).toMatchObject({
    code: "STREAM_CHANGED",
    message: '"rtsp://cam/1" sends pictures of another size or format than before.',
  });
  expect(changeOf(camera, "[h264 @ 0x55] [error] error while decoding MB 3 4, bytestream -7")).toBeUndefined();
});
