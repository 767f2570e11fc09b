// POST /v1/detect with pictures of every kind, broken ones included.
import sharp, { type Create, type Sharp } from "sharp";
import { describe, expect, test } from "vitest";
import { DetectAnswer } from "../../src/server/protocol.ts";
import { RawConnection } from "../support/raw-http.ts";
import { jsonOf, withApp, withServer } from "../support/test-server.ts";

const RED = { r: 255, g: 0, b: 0 };

function plain(width: number, height: number, background: Create["background"] = "#808080"): Sharp {
  return sharp({ create: { width, height, channels: 3, background } });
}

/** Grey, with a red box. */
function withBox(
  width: number,
  height: number,
  box: { left: number; top: number; width: number; height: number },
): Sharp {
  const red = { create: { width: box.width, height: box.height, channels: 3 as const, background: RED } };
  return plain(width, height).composite([{ input: red, left: box.left, top: box.top }]);
}

function post(body: Uint8Array | string, type = "image/jpeg"): RequestInit {
  return { method: "POST", headers: { "content-type": type }, body: body as RequestInit["body"] & {} };
}

async function detect(body: Uint8Array, type?: string, query = ""): Promise<DetectAnswer> {
  let result: DetectAnswer | undefined;
  await withApp({}, async ({ ask }) => {
    const answer = await ask(`/v1/detect${query}`, post(body, type));
    expect([answer.status, answer.status === 200 ? "" : await answer.text()]).toEqual([200, ""]);
    result = DetectAnswer.parse(await answer.json());
  });
  return result!;
}

const BOX = { left: 32, top: 16, width: 48, height: 32 };

describe("pictures", () => {
  test("a PNG's box comes back in its pixels, with model and times", async () => {
    const png = await withBox(160, 96, BOX).png().toBuffer();
    for (const type of ["image/png", "application/octet-stream", "image/jpeg; charset=x"]) {
      expect(await detect(png, type)).toMatchObject({
        width: 160,
        height: 96,
        model: { name: "red-finder", version: "1" },
        detections: [
          { label: "red", score: 0.9, bbox: [32, 16, 48, 32] },
          { label: "grey", score: 0.4 },
        ],
      });
    }
  });

  test("a JPEG that lies on its side by EXIF is set upright", async () => {
    // Orientation 6: turned clockwise to be shown, so that a box at the left top is at the right top.
    const jpeg = await withBox(160, 96, { left: 0, top: 0, width: 48, height: 32 })
      .withMetadata({ orientation: 6 })
      .jpeg({ quality: 100, chromaSubsampling: "4:4:4" })
      .toBuffer();
    const { width, height, detections } = await detect(jpeg);
    expect([width, height, detections[0]?.bbox]).toEqual([96, 160, [64, 0, 32, 48]]);
  });

  test("grey, 16 bits, CMYK, palette, transparent and progressive ones are what a viewer shows", async () => {
    const red = withBox(160, 96, BOX);
    const pictures: [string, Buffer, string][] = [
      ["16 bits", await red.clone().toColourspace("rgb16").png().toBuffer(), "image/png"],
      ["palette", await red.clone().png({ palette: true, colours: 4 }).toBuffer(), "image/png"],
      [
        "progressive",
        await red.clone().jpeg({ quality: 100, progressive: true, chromaSubsampling: "4:4:4" }).toBuffer(),
        "image/jpeg",
      ],
    ];
    for (const [name, bytes, type] of pictures) {
      const { detections } = await detect(bytes, type);
      expect([name, detections[0]]).toMatchObject([name, { label: "red", bbox: [32, 16, 48, 32] }]);
    }
    const grey = await plain(64, 32).toColourspace("b-w").jpeg().toBuffer();
    const grey16 = await plain(64, 32).toColourspace("grey16").png().toBuffer();
    const cmyk = await plain(64, 32).toColourspace("cmyk").jpeg().toBuffer();
    expect((await sharp(cmyk).metadata()).space).toBe("cmyk");
    for (const bytes of [grey, grey16, cmyk]) {
      expect(await detect(bytes)).toMatchObject({ width: 64, height: 32, detections: [{ label: "grey" }] });
    }
    // What is under transparent red is not to be seen.
    const clear = await sharp({ create: { width: 8, height: 8, channels: 4, background: { ...RED, alpha: 0 } } })
      .png()
      .toBuffer();
    expect((await detect(clear)).detections.map(({ label }) => label)).toEqual(["grey"]);
  });

  test("1 x 1 and 8000 x 6000 pixels are pictures", async () => {
    expect(await detect(await plain(1, 1, RED).png().toBuffer())).toMatchObject({
      detections: [{ bbox: [0, 0, 1, 1] }, {}],
    });
    const { width, height, detections } = await detect(await plain(8000, 6000, RED).jpeg().toBuffer());
    expect([width, height, detections[0]?.bbox]).toEqual([8000, 6000, [0, 0, 8000, 6000]]);
  });

  test("minScore and labels narrow the answer, but not below the server's own minimum", async () => {
    const png = await withBox(160, 96, BOX).png().toBuffer();
    const labels = async (query: string): Promise<string[]> =>
      (await detect(png, "image/png", query)).detections.map(({ label }) => label);
    expect(await labels("?minScore=0.5")).toEqual(["red"]);
    expect(await labels("?labels=grey")).toEqual(["grey"]);
    expect(await labels("?labels=grey,red&minScore=0")).toEqual(["red", "grey"]);
    await withApp({ config: { minScore: 0.6 } }, async ({ ask }) => {
      const answer = DetectAnswer.parse(await (await ask("/v1/detect?minScore=0", post(png))).json());
      expect(answer.detections).toHaveLength(1);
    });
  });
});

describe("refused", () => {
  test.each<[name: string, () => Promise<Uint8Array | string>, status: number, code: string, detail: RegExp]>([
    ["an empty body", async () => "", 400, "BODY_EMPTY", /empty/],
    ["text", async () => "I am a picture", 400, "PICTURE_UNREADABLE", /neither a JPEG nor a PNG/],
    [
      "SVG",
      async () => '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
      400,
      "PICTURE_UNREADABLE",
      /neither/,
    ],
    ["GIF", () => plain(8, 8).gif().toBuffer(), 400, "PICTURE_UNREADABLE", /neither/],
    [
      "the first bytes of a JPEG",
      async () => new Uint8Array([0xff, 0xd8, 0xff, 0xe0]),
      400,
      "PICTURE_UNREADABLE",
      /cannot be read/,
    ],
    ["half a JPEG", async () => half(await noise().jpeg().toBuffer()), 400, "PICTURE_UNREADABLE", /cannot be read/],
    ["half a PNG", async () => half(await noise().png().toBuffer()), 400, "PICTURE_UNREADABLE", /cannot be read/],
    [
      "a JPEG with broken bytes",
      async () => broken(await noise().jpeg().toBuffer()),
      400,
      "PICTURE_UNREADABLE",
      /cannot be read/,
    ],
    ["54 megapixels", () => plain(9000, 6000).png().toBuffer(), 413, "PICTURE_TOO_LARGE", /9000 x 6000.* 50 million/],
    ["33 MiB", async () => new Uint8Array(33 * 1_048_576), 413, "BODY_TOO_LARGE", /32 MiB/],
  ])("%s", async (_name, make, status, code, detail) => {
    const body = await make();
    await withApp({}, async ({ ask }) => {
      const answer = await ask("/v1/detect", post(body));
      const problem = await jsonOf(answer);
      expect([answer.status, problem["code"]]).toEqual([status, code]);
      expect(problem["detail"]).toMatch(detail);
    });
  });

  test.each([
    ["?minScore=2", "BAD_REQUEST", /"minScore" cannot be "2"/],
    ["?minScore=", "BAD_REQUEST", /"minScore" cannot be ""/],
    ["?minscore=0.5", "BAD_REQUEST", /"minscore" is not a known field/],
    ["?labels=car", "LABEL_UNKNOWN", /no label "car"/],
  ])("the query %s", async (query, code, detail) => {
    await withApp({}, async ({ ask }) => {
      const problem = await jsonOf(await ask(`/v1/detect${query}`, post("x")));
      expect(problem).toMatchObject({ status: 400, code });
      expect(problem["detail"]).toMatch(detail);
    });
  });

  test("another content type, by its name", async () => {
    await withApp({}, async ({ ask }) => {
      const problem = await jsonOf(await ask("/v1/detect", post("x", "image/gif")));
      expect(problem).toMatchObject({
        status: 415,
        code: "CONTENT_TYPE",
        detail: expect.stringContaining("image/gif"),
      });
    });
  });

  test("more pictures than may wait, while those that wait are answered", async () => {
    const png = await plain(4, 4).png().toBuffer();
    await withApp({}, async ({ ask, detector }) => {
      let open = (): void => undefined;
      detector.gate = new Promise((resolve) => (open = resolve));
      const answers = Array.from({ length: 16 }, () => ask("/v1/detect", post(png)));
      const refused = await ask("/v1/detect", post(png));
      expect([refused.status, refused.headers.get("retry-after"), (await jsonOf(refused))["code"]]).toEqual([
        503,
        "1",
        "SERVER_BUSY",
      ]);
      expect(detector.busy).toBeLessThanOrEqual(2);
      open();
      expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(Array.from({ length: 16 }, () => 200));
      expect((await ask("/v1/detect", post(png))).status).toBe(200);
    });
  });

  test("bodies that stop in their midst take no place from others", async () => {
    const png = await plain(4, 4).png().toBuffer();
    await withServer({}, async ({ port, url }) => {
      const stopped = await Promise.all(Array.from({ length: 40 }, () => RawConnection.open(port)));
      try {
        const head =
          "POST /v1/detect HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\nContent-Length: 999999\r\n\r\n";
        for (const connection of stopped) connection.send(head + "x".repeat(1000));
        await fetch(`${url}health/live`);
        expect((await fetch(`${url}v1/detect`, post(png))).status).toBe(200);
      } finally {
        for (const { socket } of stopped) socket.destroy();
      }
    });
  });

  test("an unforeseen failure is logged with its stack, and the client learns nothing of it", async () => {
    await withApp({}, async ({ ask, detector, log }) => {
      detector.failure = new TypeError("secret inner workings");
      const answer = await ask("/v1/detect", post(await plain(4, 4).png().toBuffer()));
      const text = await answer.text();
      expect([answer.status, (JSON.parse(text) as { code: string }).code]).toEqual([500, "INTERNAL"]);
      expect(text).not.toContain("secret");
      expect(log.join("")).toMatch(/secret inner workings.*stack.*detect-route\.test\.ts/);
    });
  });
});

function noise(): Sharp {
  const data = Uint8Array.from({ length: 200 * 200 * 3 }, (_, i) => (i * i * 31) % 253);
  return sharp(data, { raw: { width: 200, height: 200, channels: 3 } });
}

function half(bytes: Buffer): Uint8Array {
  return bytes.subarray(0, bytes.length / 2);
}

/** Zeros and markers in the midst of the compressed data. */
function broken(bytes: Buffer): Uint8Array {
  const copy = Buffer.from(bytes);
  for (let i = Math.floor(copy.length / 2); i < copy.length / 2 + 400; i++) copy[i] = i % 3 === 0 ? 0xff : 0xd9;
  return copy;
}
