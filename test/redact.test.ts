// Where URLs hold secrets, and that no trace of them is left in a URL that is shown or in a text that quotes it in pieces.
import { describe, expect, test } from "vitest";
import { MultiboxError } from "../src/errors.ts";
import { isRedacted, redactDeep, redactSecrets, redactText, redactUrl } from "../src/redact.ts";

describe("a URL is shown", () => {
  test.each([
    [
      "http://cam/video.cgi?user=admin&password=Zq1&channel=1",
      "http://cam/video.cgi?user=admin&password=***&channel=1",
    ],
    ["http://cam:8080/video.cgi?password=Zq1&x=2", "http://cam:8080/video.cgi?password=***&x=2"],
    [
      "rtsp://cam/user=admin&password=Zq1&channel=1&stream=0.sdp",
      "rtsp://cam/user=admin&password=***&channel=1&stream=0.sdp",
    ],
    [
      "rtsp://cam/user=admin_password=Zq1_channel=1_stream=0.sdp",
      "rtsp://cam/user=admin_password=***_channel=1_stream=0.sdp",
    ],
    ["rtsp://192.0.2.7:554/password=Zq1@Zq2&channel=1", "rtsp://192.0.2.7:554/password=***&channel=1"],
    ["rtsp://192.0.2.7:554/password=Zq1/Zq2?Zq3#Zq4&channel=1", "rtsp://192.0.2.7:554/password=***&channel=1"],
    ["rtsp://me:Zq0@cam/password=Zq1@Zq2&channel=1", "rtsp://cam/password=***&channel=1"],
    ["rtsp://me:Zq1&token=Zq2@cam/x", "rtsp://cam/x"],
    ["rtsp://admin:12/Zq1?token=Zq2@cam/x", "rtsp://***"],
    ["http://cam/?%70assword=Zq1&x=1", "http://cam/?%70assword=***&x=1"],
    [
      "http://cam/user%3Dadmin%26password%3DZq1%26channel%3D1",
      "http://cam/user%3Dadmin%26password%3D***%26channel%3D1",
    ],
    ["http://cam/?password=Zq1%26Zq2&x=1", "http://cam/?password=***&x=1"],
    ["http://cam/?password=Zq1&Zq2", "http://cam/?password=***"],
    ["http://cam/?loginuse=a&loginpas=Zq1", "http://cam/?loginuse=a&loginpas=***"],
    ["http://cam/?-usr=a&-pwd=Zq1&", "http://cam/?-usr=a&-pwd=***"],
    [
      "https://cdn/a.m3u8?X-Amz-Signature=Zq1&X-Amz-Expires=60",
      "https://cdn/a.m3u8?X-Amz-Signature=***&X-Amz-Expires=60",
    ],
    ["https://cdn/a.m3u8?sv=1&sig=Zq1", "https://cdn/a.m3u8?sv=1&sig=***"],
    ["https://cdn/a?auth=Zq1&api_key=Zq2&access_token=Zq3", "https://cdn/a?auth=***&api_key=***&access_token=***"],
    ["http://cam/?PASSWD=Zq1", "http://cam/?PASSWD=***"],
    ["http://cam/a?channel=1&keyframe=2&author=me&design=3", "http://cam/a?channel=1&keyframe=2&author=me&design=3"],
    ["http://cam/a?password=&x=1", "http://cam/a?password=&x=1"],
    ["/videos/a=b.mp4", "/videos/a=b.mp4"],
  ])("%s as %s", (url, shown) => {
    expect(redactUrl(url)).toBe(shown);
    expect(redactUrl(shown)).toBe(shown);
  });

  test.each([
    ["http://cam/?password=***", true],
    ["http://cam/?password=x", false],
    ["http://cam/***", false],
  ])("%s was redacted: %s", (url, was) => expect(isRedacted(url)).toBe(was));
});

test.each([
  "http://cam/video.cgi?user=admin&password=Zq1secret/Zq2secret&channel=1",
  "rtsp://cam/user=admin&password=Zq1 Zq2&channel=1&stream=0.sdp",
  "rtsp://me:Zq0@cam/user=admin_password=Zq1#Zq2_channel=1",
  'http://cam/?token=Zq1%2FZq2"Zq3',
])("no piece of %s is left in a text, whichever is quoted", (url) => {
  const decoded = decodeURIComponent(url);
  const pieces = [url, decoded, encodeURI(url), encodeURIComponent(url), JSON.stringify(url)];
  for (const piece of [url, decoded]) {
    pieces.push(
      piece.slice(piece.indexOf("/cam")),
      piece.slice(piece.lastIndexOf("/") + 1),
      piece.slice("http://cam".length),
    );
    pieces.push(piece.slice(piece.lastIndexOf("=Zq") + 1), piece.slice(0, piece.lastIndexOf("Zq") + 2));
  }
  for (const piece of pieces)
    for (const text of [`[http @ 0x1] [error] ${piece}: Not found`, `Opening '${piece}' for reading`])
      expect(redactText(text, url)).not.toMatch(/Zq\d/);
  expect(redactText("nothing here", url)).toBe("nothing here");
});

test("a short secret is taken out as a word, and not out of every word", () => {
  expect(redactText("channel 1 of 12 at /x?pin=1", "http://cam/x?pin=1")).toBe("channel *** of 12 at /x?pin=***");
});

test("secrets of other URLs are known by their form", () => {
  const text = "Opening 'http://cdn/a.ts?token=Zq1&n=2' after rtsp://me:Zq2@cam/x, password=Zq3: refused";
  expect(redactSecrets(text)).toBe("Opening 'http://cdn/a.ts?token=***&n=2' after rtsp://cam/x, password=***: refused");
  expect(redactDeep({ a: ["x?pwd=Zq1"], b: 1, c: null })).toEqual({ a: ["x?pwd=***"], b: 1, c: null });
});

test("an error never carries them", () => {
  const error = new MultiboxError("X", '"http://cam/?password=Zq1" failed.', "See http://me:Zq2@cam/.");
  expect(`${error}`).toBe('X: "http://cam/?password=***" failed. See http://cam/.');
});
