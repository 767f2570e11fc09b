// What is left of HTTP: health, metrics, the page, headers, and paths that lead nowhere.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { jsonOf, withApp } from "../support/test-server.ts";

describe("health", () => {
  test("it lives at once, and is ready when the model is warm", async () => {
    let warm = false;
    await withApp({ deps: { ready: () => warm } }, async ({ ask }) => {
      expect((await ask("/health/live")).status).toBe(200);
      const cold = await ask("/health/ready");
      const about = {
        version: "1.2.3",
        model: { name: "red-finder", version: "1" },
        engine: "typescript",
        reason: "it needs nothing else",
        history: { state: "off" },
      };
      expect([cold.status, await cold.json()]).toEqual([503, { status: "warming up", ...about }]);
      warm = true;
      const ready = await ask("/health/ready");
      expect([ready.status, await ready.json()]).toEqual([200, { status: "ready", ...about }]);
    });
  });
});

describe("metrics", () => {
  test("hold the books of every stream, where time went, clients, and the process", async () => {
    await withApp({}, async ({ ask, pipeline }) => {
      for (const id of ["a", "b"]) pipeline.addStream(id);
      for (let i = 0; i < 5; i++) pipeline.show("a");
      const answer = await ask("/metrics");
      expect(answer.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
      const lines = (await answer.text()).split("\n");
      for (const line of [
        'multibox_frames_decoded_total{stream="a"} 7',
        'multibox_frames_detected_total{stream="a"} 5',
        'multibox_frames_dropped_total{stream="a",cause="superseded"} 1',
        'multibox_frames_in_flight{stream="a"} 1',
        'multibox_frames_detected_total{stream="b"} 0',
        'multibox_stream_state{stream="b",state="connecting"} 1',
        'multibox_queue_seconds_bucket{le="0.001",stream="a"} 5',
        'multibox_infer_seconds_bucket{le="0.005",stream="a"} 0',
        'multibox_infer_seconds_bucket{le="0.01",stream="a"} 5',
        'multibox_total_seconds_count{stream="a"} 5',
        "multibox_ws_clients 0",
        'multibox_info{version="1.2.3",model="red-finder 1",engine="typescript"} 1',
      ]) {
        expect(lines).toContain(line);
      }
      expect(lines.some((line) => line.startsWith("process_resident_memory_bytes "))).toBe(true);
      await pipeline.remove("a");
      expect(await (await ask("/metrics")).text()).not.toContain('stream="a"');
    });
  });
});

describe("the page", () => {
  test("is served with its assets, which are asked for again only when they changed", async () => {
    const uiDir = await mkdtemp(join(tmpdir(), "multibox-ui-"));
    try {
      await mkdir(join(uiDir, "assets"));
      await writeFile(join(uiDir, "index.html"), "<!doctype html><title>multibox</title>");
      await writeFile(join(uiDir, "assets/index-1a2b.js"), "export {};");
      await writeFile(join(uiDir, "../multibox-outside.txt"), "outside");
      await withApp({ deps: { uiDir } }, async ({ ask }) => {
        const page = await ask("/");
        expect(await page.text()).toContain("multibox");
        expect(Object.fromEntries(page.headers)).toMatchObject({
          "content-type": "text/html; charset=utf-8",
          "cache-control": "no-cache",
          "content-security-policy": expect.stringContaining(
            "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' blob: data:",
          ),
          "x-content-type-options": "nosniff",
          "referrer-policy": "no-referrer",
        });
        const again = await ask("/", { headers: { "if-none-match": page.headers.get("etag")! } });
        expect([again.status, await again.text()]).toEqual([304, ""]);
        const asset = await ask("/assets/index-1a2b.js");
        expect(asset.headers.get("content-type")).toMatch(/^text\/javascript/);
        expect(asset.headers.get("cache-control")).toMatch(/immutable/);
        for (const path of [
          "/../multibox-outside.txt",
          "/..%2fmultibox-outside.txt",
          "/assets",
          "/assets/none.js",
          "/%00",
        ]) {
          expect([path, (await ask(path)).status]).toEqual([path, 404]);
        }
      });
    } finally {
      await rm(uiDir, { recursive: true });
      await rm(join(uiDir, "../multibox-outside.txt"), { force: true });
    }
  });

  test("says so in a sentence when it has not been built", async () => {
    await withApp({}, async ({ ask }) => {
      const answer = await ask("/");
      expect([answer.status, await answer.json()]).toMatchObject([
        404,
        { code: "PAGE_NOT_BUILT", hint: expect.stringContaining("npm run build") },
      ]);
    });
  });
});

describe("paths that lead nowhere", () => {
  test.each([
    ["GET", "/v1/nothing"],
    ["GET", "/nothing"],
    ["POST", "/"],
    ["DELETE", "/v1/nothing"],
    ["GET", "/v1/streams/"],
  ])("%s %s is told what there is", async (method, path) => {
    await withApp({}, async ({ ask }) => {
      const answer = await ask(path, { method });
      expect(await answer.json()).toMatchObject({
        type: "urn:multibox:problem:NOT_FOUND",
        title: "Not Found",
        status: 404,
        code: "NOT_FOUND",
        detail: `There is nothing at ${method} ${path}.`,
        hint: expect.stringContaining("/v1/streams"),
      });
      expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
    });
  });

  test("the WebSocket asked for by plain HTTP says what it is", async () => {
    await withApp({}, async ({ ask }) => {
      const answer = await ask("/v1/detections");
      expect([answer.status, answer.headers.get("upgrade"), (await jsonOf(answer))["code"]]).toEqual([
        426,
        "websocket",
        "UPGRADE_NEEDED",
      ]);
    });
  });
});
