// Listening and stopping, with real sockets.
import { once } from "node:events";
import { connect, createServer, type AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import type { Config } from "../../src/config.ts";
import { createPipeline } from "../../src/pipeline/pipeline.ts";
import { ffmpeg, LOSSLESS, makeFolder, testPicture } from "../support/ffmpeg.ts";
import { Multipart } from "../support/multipart.ts";
import { RedFinder } from "../support/red-finder.ts";
import { found } from "../support/scripted-pipeline.ts";
import { SocketClient } from "../support/socket-client.ts";
import { withServer } from "../support/test-server.ts";

const attempt = (config: Partial<Config>): Promise<void> => withServer({ config }, () => Promise.resolve());

describe("listening", () => {
  test("on a free port says which, and answers there", async () => {
    await withServer({}, async ({ url, port }) => {
      expect(url).toBe(`http://127.0.0.1:${port}/`);
      expect((await fetch(`${url}health/live`)).status).toBe(200);
    });
  });

  test("on a port in use fails by its number, and the one who has it goes on", async () => {
    await withServer({}, async ({ port, url }) => {
      await expect(attempt({ port })).rejects.toMatchObject({
        code: "PORT_IN_USE",
        message: expect.stringContaining(String(port)),
      });
      expect((await fetch(`${url}health/live`)).status).toBe(200);
    });
  });

  test("on another address needs a token, and on one that is not this machine's fails by its name", async () => {
    await expect(attempt({ host: "0.0.0.0" })).rejects.toMatchObject({ code: "TOKEN_NEEDED" });
    const token = "a-token-of-24-characters";
    await expect(attempt({ host: "192.0.2.1", token })).rejects.toMatchObject({
      code: "HOST_UNAVAILABLE",
      message: expect.stringContaining("192.0.2.1"),
    });
  });

  test.skipIf(process.getuid?.() === 0)(
    "on port 1 fails for want of permission (skipped for root, who may)",
    async () => {
      await expect(attempt({ port: 1 })).rejects.toMatchObject({ code: "PORT_FORBIDDEN" });
    },
  );
});

describe("requests over the wire", () => {
  test("a body beyond the limit is refused by its announced length, and the server goes on", async () => {
    await withServer({}, async ({ port, url }) => {
      const socket = connect(port, "127.0.0.1");
      const head = [
        "POST /v1/detect HTTP/1.1",
        `Host: 127.0.0.1:${port}`,
        "Content-Type: image/jpeg",
        `Content-Length: ${40 * 1_048_576}`,
      ];
      socket.write(`${head.join("\r\n")}\r\n\r\nabc`);
      const [answer] = (await once(socket, "data")) as [Buffer];
      expect(answer.toString()).toMatch(/^HTTP\/1\.1 413 [^]*BODY_TOO_LARGE/);
      socket.destroy();
      expect((await fetch(`${url}health/live`)).status).toBe(200);
    });
  });

  test("a client that goes in the midst of its body, and one that talks nonsense, are nobody's bug", async () => {
    await withServer({}, async ({ port, url, log }) => {
      for (const text of [
        `POST /v1/detect HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: image/jpeg\r\nContent-Length: 999\r\n\r\nabc`,
        "nonsense\r\n\r\n",
      ]) {
        const socket = connect(port, "127.0.0.1");
        socket.on("error", () => undefined);
        await new Promise<void>((resolve) => socket.write(text, () => resolve()));
        socket.destroy();
      }
      while (!log.some((line) => line.includes('"/v1/detect"'))) await new Promise(setImmediate);
      expect(log.join("")).toContain('"status":400');
      expect(log.join("")).not.toContain("a request failed");
      expect((await fetch(`${url}health/live`)).status).toBe(200);
    });
  });

  test("a page by another name is refused, so that nobody points one here", async () => {
    await withServer({}, async ({ port }) => {
      const socket = connect(port, "127.0.0.1");
      socket.write(`GET /v1/streams HTTP/1.1\r\nHost: evil.example:${port}\r\nConnection: close\r\n\r\n`);
      const [answer] = (await once(socket, "data")) as [Buffer];
      expect(answer.toString()).toMatch(/^HTTP\/1\.1 403 [^]*HOST_NOT_ALLOWED/);
      socket.destroy();
    });
  });
});

describe("stopping", () => {
  test("takes leave of WebSockets with 1001 and ends live views", async () => {
    await withServer({}, async ({ socketUrl, url, pipeline, close }) => {
      pipeline.addStream("cam");
      pipeline.show("cam");
      const client = await SocketClient.open(socketUrl);
      const view = new Multipart(await fetch(`${url}v1/streams/cam/live.mjpeg`));
      expect(await view.seq()).toBe(0);
      await Promise.all([close(), close()]);
      expect(await client.closed).toEqual({ code: 1001, reason: "The server is stopping." });
      expect(await view.next()).toBeUndefined();
      expect(pipeline.pool.lent).toBe(0);
      await expect(fetch(url)).rejects.toThrow("fetch failed");
    });
  });

  test("what is in the detector is told and recorded before clients are taken leave of, and the books close", async () => {
    const folder = await makeFolder();
    const detector = new RedFinder();
    const pipeline = createPipeline(detector, { maxDelayMs: 5, maxDecodeWidth: 1920, stallMs: 10_000 });
    try {
      const clip = `${folder.path}/clip.mp4`;
      await ffmpeg(testPicture("64x48", 25, 2), LOSSLESS, clip);
      await withServer({ deps: { pipeline, detector }, history: true }, async ({ socketUrl, history, close }) => {
        const client = await SocketClient.open(socketUrl);
        await client.ask({ type: "subscribe", streams: ["*"] });
        pipeline.add({ id: "clip", url: clip, loop: true, transport: "tcp" });
        await client.until(({ type }) => type === "detections");
        let letGo = (): void => undefined;
        detector.gate = new Promise((resolve) => (letGo = resolve));
        while (detector.busy === 0) await new Promise(setImmediate);
        const closed = close();
        letGo();
        await closed;
        expect(await client.closed).toEqual({ code: 1001, reason: "The server is stopping." });
        const { decoded, detected, inFlight, dropped } = pipeline.counts("clip");
        expect([inFlight, detected + Object.values(dropped).reduce((sum, count) => sum + count, 0)]).toEqual([
          0,
          decoded,
        ]);
        const all = Array.from({ length: detected }, (_, seq) => seq);
        expect(client.detections("clip").map(({ seq }) => seq)).toEqual(all);
        const kept = await new Promise<number[]>((resolve) =>
          history.read("clip", -1, 1000, (records) => resolve(records.map(({ seq }) => seq))),
        );
        expect(kept).toEqual(all);
      });
    } finally {
      await pipeline.close();
      await folder.remove();
    }
  });

  test("a client that reads slowly is sent what waits for it first", async () => {
    await withServer({}, async ({ socketUrl, pipeline, close }) => {
      pipeline.addStream("cam");
      const client = await SocketClient.open(socketUrl);
      await client.ask({ type: "subscribe", streams: ["cam"] });
      client.socket.pause();
      // More than the socket is given ahead: some of it waits in the outbox.
      const many = Array.from({ length: 400 }, () => found("person", 0.5));
      for (let i = 0; i < 60; i += 1) pipeline.show("cam", many);
      const closed = close();
      client.socket.resume();
      await closed;
      expect(client.detections("cam").map(({ seq }) => seq)).toEqual(Array.from({ length: 60 }, (_, seq) => seq));
      expect(await client.closed).toMatchObject({ code: 1001 });
    });
  });

  test("does not wait for clients that never answer", async () => {
    await withServer({}, async ({ socketUrl, port, close }) => {
      const client = await SocketClient.open(socketUrl);
      client.socket.pause();
      const half = connect(port, "127.0.0.1");
      half.on("error", () => undefined);
      await new Promise<void>((resolve) =>
        half.write("POST /v1/detect HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n", () => resolve()),
      );
      await expect(close()).resolves.toBeUndefined();
      client.socket.terminate();
      half.destroy();
    });
  });

  test("the port is free again", async () => {
    let taken = 0;
    await withServer({}, ({ port }) => {
      taken = port;
      return Promise.resolve();
    });
    const server = createServer().listen(taken, "127.0.0.1");
    await once(server, "listening");
    expect((server.address() as AddressInfo).port).toBe(taken);
    server.close();
  });
});
