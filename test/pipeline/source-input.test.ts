// User names and passwords in URLs, as people write them and as ffmpeg takes them.
import { expect, test } from "vitest";
import { escapeUserInfo } from "../../src/pipeline/source-input.ts";

test.each([
  ["rtsp://cam:p@ss:w/rd@127.0.0.1:8554/cam", "rtsp://cam:p%40ss%3Aw%2Frd@127.0.0.1:8554/cam"],
  ["rtsp://cam:p#w@cam.local:554/x", "rtsp://cam:p%23w@cam.local:554/x"],
  ["rtsp://cam:p?w@cam.local/x", "rtsp://cam:p%3Fw@cam.local/x"],
  ["rtsp://cam:12#34@cam.local/x", "rtsp://cam:12%2334@cam.local/x"],
  ["rtsp://cam:p@ss#34@cam.local/x", "rtsp://cam:p%40ss%2334@cam.local/x"],
  ["rtsp://cam:p@ss?34@cam.local/x", "rtsp://cam:p%40ss%3F34@cam.local/x"],
  ["rtsp://cam:100%@cam.local/x", "rtsp://cam:100%25@cam.local/x"],
  ["rtsp://cam:a b@c@cam.local/x", "rtsp://cam:a%20b%40c@cam.local/x"],
  ["rtsp://me@home:pass@cam.local/x", "rtsp://me%40home:pass@cam.local/x"],
  ["http://cam:p\\w@cam.local/x", "http://cam:p%5Cw@cam.local/x"],
  ["rtsp://cam:grün@cam.local/x", "rtsp://cam:gr%C3%BCn@cam.local/x"],
])("a password that was written as it is, is encoded: %s", (url, escaped) => {
  expect(escapeUserInfo(url)).toBe(escaped);
  expect(escapeUserInfo(escaped)).toBe(escaped);
});

test("in what is no URL as it stands, a % is a % too", () => {
  expect(escapeUserInfo("rtsp://cam:p%40/w:@cam.local/x")).toBe("rtsp://cam:p%2540%2Fw%3A@cam.local/x");
});

test.each([
  "rtsp://cam:p%40ss%3aw%2Frd@127.0.0.1:8554/cam",
  "rtsp://cam:latin%E9@cam.local/x",
  "rtsp://us%3Aer:pass@cam.local/x",
  "rtsp://cam@cam.local/x",
  "rtsp://:pass@cam.local/x",
  "rtsp://cam:@cam.local/x",
  "rtsp://cam.local:554/user@home?mail=a@b.c",
  "rtsp://cam:pass@cam.local/user@home",
  "rtsp://cam.local/x y",
  "rtsp://cam:pass@[fe80::1]:554/x",
])("what is a URL stays as it is: %s", (url) => {
  expect(escapeUserInfo(url)).toBe(url);
});
