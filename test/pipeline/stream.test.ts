// Schemes, what is live, and that no password gets out.
import { describe, expect, test } from "vitest";
import { isLive, patched, sameSource, schemeOf, type StreamConfig } from "../../src/pipeline/stream.ts";
import { redactText, redactUrl } from "../../src/redact.ts";

test.each([
  ["rtsp://a/b", "rtsp"],
  ["RTSPS://a/b", "rtsps"],
  ["http://a", "http"],
  ["https://a", "https"],
  ["video.mp4", "file"],
  ["/dev/../x:y.mp4", "file"],
  ["C:\\videos\\a.mp4", "file"],
  ["file:///etc/passwd", undefined],
  ["ftp://a/b", undefined],
  ["concat://a", undefined],
])("%s is %s", (url, scheme) => {
  expect(schemeOf(url)).toBe(scheme);
});

test("cameras and looped files are live, a file that is played once is not", () => {
  const config: StreamConfig = { id: "a", url: "rtsp://a", loop: false, transport: "tcp" };
  expect(isLive(config)).toBe(true);
  expect(isLive({ ...config, url: "a.mp4", loop: true })).toBe(true);
  expect(isLive({ ...config, url: "a.mp4" })).toBe(false);
});

test("a change replaces what it names, takes back what is null, and leaves the id alone", () => {
  const config: StreamConfig = { id: "a", url: "rtsp://a", loop: false, transport: "tcp", maxFps: 5, labels: ["car"] };
  const patch = { url: "rtsp://b", maxFps: null, priority: 2, labels: undefined, id: "b" };
  expect(patched(config, patch)).toEqual({ ...config, url: "rtsp://b", priority: 2, maxFps: undefined });
  expect(Object.keys(patched(config, patch))).not.toContain("maxFps");
});

test("the decoder goes on over a change of what is done with its frames, and only over that", () => {
  const config: StreamConfig = { id: "a", url: "rtsp://a", loop: false, transport: "tcp" };
  const other: StreamConfig = {
    ...config,
    priority: 3,
    minScore: 0.5,
    labels: ["car"],
    model: "b",
    include: [],
    paused: true,
  };
  expect(sameSource(config, other)).toBe(true);
  const changes = [{ url: "rtsp://b" }, { loop: true }, { transport: "udp" }, { maxFps: 5 }] as const;
  for (const change of changes) expect(sameSource(config, { ...config, ...change })).toBe(false);
});

describe("passwords", () => {
  test.each([
    ["rtsp://cam:554/1", "rtsp://cam:554/1"],
    ["rtsp://me:pass@cam:554/1", "rtsp://cam:554/1"],
    ["rtsp://me@cam/1", "rtsp://cam/1"],
    ["rtsp://me:p@ss/w#rd@cam/1", "rtsp://cam/1"],
    ["rtsp://me:p/w@cam/1?x=1", "rtsp://cam/1?x=1"],
    ["http://host/a@b", "http://host/a@b"],
    ["a@b.mp4", "a@b.mp4"],
    ["C:\\a@b.mp4", "C:\\a@b.mp4"],
    ["/videos/a:b@c.mp4", "/videos/a:b@c.mp4"],
    ["me:p/w@cam/1", "cam/1"],
    [" rtsp://me:pw@cam/1", " rtsp://cam/1"],
    ["rtsp:/me:pw@cam/1", "rtsp:/cam/1"],
    ["concat:rtsp://me:pw@cam/1", "concat:rtsp://cam/1"],
    ["a://b/rtsp://me:pw@cam/1", "a://b/rtsp://cam/1"],
  ])("%s is shown as %s", (url, shown) => {
    expect(redactUrl(url)).toBe(shown);
  });

  test("half of a surrogate pair in one is no reason to fail", () => {
    expect(redactText("s3\ud800", "rtsp://me:s3\ud800@cam/1")).toBe("***");
  });

  test.each([
    "rtsp://me:s3cret@cam/1",
    "rtsp://me:s3/cr@et@cam/1",
    "rtsp://me:s3%2Fcret@cam/1",
    "rtsp://me:s3%2Fcr%et@cam/1",
  ])("of %s leave no trace", (url) => {
    const secret = url.slice("rtsp://me:".length, url.lastIndexOf("@"));
    const text = `${url} and ${secret} and ${encodeURIComponent(secret)} and me:${secret}@cam`;
    expect(redactText(text, url)).not.toContain("s3");
    expect(redactText("nothing here", url)).toBe("nothing here");
  });
});
