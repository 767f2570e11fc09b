// What is left of HTTP: health, metrics, the page, headers, and paths that lead nowhere.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { MultiboxError } from "../../src/errors.ts";
import { CurrentDetector } from "../../src/model/current-detector.ts";
import { memoryStore } from "../support/memory-store.ts";
import { createToken } from "../../src/server/access/token-table.ts";
import { RedFinder } from "../support/red-finder.ts";
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
        store: { state: "ok" },
        folders: { state: "ok" },
      };
      expect([cold.status, await cold.json()]).toEqual([503, { status: "warming up", ...about }]);
      warm = true;
      const ready = await ask("/health/ready");
      expect([ready.status, await ready.json()]).toEqual([200, { status: "ready", ...about }]);
    });
  });
});

describe("/health", () => {
  test("tells of each part how it is, of the streams that the caller sees, and no address or path", async () => {
    const store = memoryStore();
    const { token } = createToken(store.db, { name: "own", scope: "read", streams: ["a", "b"] });
    const deps = { store, dataDir: tmpdir(), engineDeaths: new Map([["ENGINE_DIED", 1]]) };
    await withApp({ deps, history: true }, async ({ ask, pipeline }) => {
      expect((await ask("/health")).status).toBe(401);
      for (const id of ["a", "b", "c"]) pipeline.addStream(id, `rtsp://user:hunter2@192.0.2.7/${id}`);
      const health = async (): Promise<unknown> => {
        const answer = await ask("/health", { headers: { authorization: `Bearer ${token}` } });
        const text = await answer.text();
        expect([answer.status, /hunter2|192\.0\.2|tmp/.test(text)]).toEqual([200, false]);
        return JSON.parse(text);
      };
      expect(await health()).toMatchObject({
        engine: { status: "ok", model: { name: "red-finder" }, restarts: 1 },
        history: { status: "ok", waiting: 0, lost: 0 },
        disk: { freeBytes: expect.any(Number), totalBytes: expect.any(Number) },
        streams: { status: "ok", total: 2, states: { connecting: 2 } },
      });
      const error = new MultiboxError("STREAM_AUTH_FAILED", "rtsp://192.0.2.7/a refused hunter2.", "");
      pipeline.setStatus("a", { state: "misconfigured", error });
      pipeline.setStatus("c", { state: "stalled" });
      expect(await health()).toMatchObject({
        status: "degraded",
        streams: { status: "degraded", states: { misconfigured: 1, connecting: 1 } },
      });
    });
    await store.close();
  });
});

describe("metrics", () => {
  test("hold the books of every stream, where time went, restarts, clients, and the process", async () => {
    const engineDeaths = new Map([["ENGINE_TIMEOUT", 2]]);
    const detector = new CurrentDetector(new RedFinder());
    await withApp({ deps: { engineDeaths, detector } }, async ({ ask, pipeline }) => {
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
        'multibox_queue_seconds_bucket{le="0.001",stream="a",model="scripted 1"} 5',
        'multibox_infer_seconds_bucket{le="0.005",stream="a",model="scripted 1"} 0',
        'multibox_infer_seconds_bucket{le="0.01",stream="a",model="scripted 1"} 5',
        'multibox_total_seconds_count{stream="a",model="scripted 1"} 5',
        'multibox_ffmpeg_restarts_total{stream="a"} 3',
        'multibox_engine_restarts_total{code="ENGINE_TIMEOUT"} 2',
        "multibox_ws_clients 0",
        "multibox_ws_messages_waiting 0",
        'multibox_info{version="1.2.3",model="red-finder 1",engine="typescript"} 1',
      ]) {
        expect(lines).toContain(line);
      }
      expect(lines.some((line) => line.startsWith("process_resident_memory_bytes "))).toBe(true);
      await pipeline.remove("a");
      await detector.change(new RedFinder("blue-finder"));
      const later = await (await ask("/metrics")).text();
      expect(later).not.toContain('stream="a"');
      expect(later.match(/^multibox_info.*$/gm)).toEqual([
        'multibox_info{version="1.2.3",model="blue-finder 1",engine="typescript"} 1',
      ]);
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
