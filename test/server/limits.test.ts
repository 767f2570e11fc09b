// What a client may take of the server: connections, time for headers and bodies, guesses; with real sockets.
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { Hello } from "../../src/server/protocol.ts";
import { createToken, revokeToken } from "../../src/server/access/token-table.ts";
import { memoryStore } from "../support/memory-store.ts";
import { RawConnection } from "../support/raw-http.ts";
import { type Refused, SocketClient } from "../support/socket-client.ts";
import { withApp, withServer } from "../support/test-server.ts";

const TOKEN = "a-token-of-24-characters";

/** All that comes until the server closes the connection. */
async function untilClosed(socket: Socket): Promise<string> {
  let text = "";
  socket.on("data", (data) => (text += data.toString()));
  socket.on("error", () => undefined);
  await once(socket, "close");
  return text;
}

describe("connections", () => {
  const open = async (port: number): Promise<RawConnection> => {
    const connection = await RawConnection.open(port);
    connection.send("GET /v1/streams HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await connection.first(1);
    return connection;
  };

  test("beyond the limit are refused and closed; when one goes, another may come", async () => {
    await withServer({ config: { maxConnections: 3, maxConnectionsPerAddress: 2 } }, async ({ port, url }) => {
      const [first, second] = [await open(port), await open(port)];
      expect([first, second].map(({ answers }) => answers[0]?.status)).toEqual([200, 200]);
      const third = connect(port, "127.0.0.1");
      expect(await untilClosed(third)).toMatch(/^HTTP\/1\.1 503 [^]*retry-after: 1[^]*SERVER_FULL/);
      first.socket.destroy();
      second.socket.destroy();
      await expect.poll(async () => (await fetch(`${url}health/live`)).status, { timeout: 20_000 }).toBe(200);
    });
  });

  test("that have not shown a token make room for others, the oldest idle one first", async () => {
    await withServer({ config: { token: TOKEN, maxConnections: 3 } }, async ({ port, url }) => {
      const [refused, silent] = [await open(port), await RawConnection.open(port)];
      expect(refused.answers[0]?.status).toBe(401);
      const headers = { authorization: `Bearer ${TOKEN}` };
      const owner = await SocketClient.open(`${url.replace("http", "ws")}v1/detections`, { headers });
      for (let i = 0; i < 10; i++) await RawConnection.open(port);
      await Promise.all([refused.closed, silent.closed]);
      expect((await fetch(`${url}v1/streams`, { headers })).status).toBe(200);
      expect((await owner.ask({ type: "ping" })).ok).toBe(true);
      owner.socket.terminate();
    });
  });
});

describe("slow-loris", () => {
  const timeouts = { headersTimeout: 200, requestTimeout: 400, connectionsCheckingInterval: 50 };

  test.each([
    ["nothing at all", "", ""],
    ["a header without end", "GET /v1/streams HTTP/1.1\r\nHost: localhost\r\n", "X-A: b\r\n"],
    [
      "a body without end",
      "POST /v1/detect HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\nContent-Length: 99999\r\n\r\n",
      "x",
    ],
  ])("a client that sends %s is closed, and others are served meanwhile", async (_, head, drip) => {
    await withServer({ deps: { timeouts } }, async ({ port, url }) => {
      const socket = connect(port, "127.0.0.1");
      const closed = untilClosed(socket);
      socket.write(head);
      const timer = setInterval(() => drip && socket.writable && socket.write(drip), 30);
      try {
        expect((await fetch(`${url}health/live`)).status).toBe(200);
        expect(await closed).toMatch(/^(HTTP\/1\.1 (408|400) .*)?/);
      } finally {
        clearInterval(timer);
        socket.destroy();
      }
    });
  });

  test("an upload may take longer than that while it comes on, and is closed when it stands still", async () => {
    const slower = { ...timeouts, requestTimeout: 1000 };
    await withServer({ deps: { timeouts: slower } }, async ({ port, jobsFolder }) => {
      const socket = connect(port, "127.0.0.1");
      const closed = untilClosed(socket);
      const head = "POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\n";
      const part = '--x\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n';
      socket.write(`${head}Content-Length: 9999999\r\n\r\n${part}`);
      const began = performance.now();
      for (let i = 0; i < 22; i++) {
        socket.write(Buffer.alloc(70_000));
        await sleep(100);
      }
      expect(socket.destroyed).toBe(false);
      expect(performance.now() - began).toBeGreaterThan(2 * slower.requestTimeout);
      expect(readdirSync(jobsFolder)).toHaveLength(1);
      expect(await closed).toMatch(/^HTTP\/1\.1 408 /);
      await expect.poll(() => readdirSync(jobsFolder), { timeout: 20_000 }).toEqual([]);
    });
  });
});

describe("guessing", () => {
  test("ten wrong tokens in a row, over HTTP and WebSocket, and then even a right one is told to wait", async () => {
    await withServer({ config: { token: TOKEN } }, async ({ url, socketUrl, log }) => {
      const ask = (token: string): Promise<Response> =>
        fetch(`${url}v1/streams`, { headers: { authorization: `Bearer ${token}` } });
      for (let guess = 0; guess < 5; guess++) {
        expect((await ask(`guess-number-${guess}-of-many`)).status).toBe(401);
        const refused = await SocketClient.open(`${socketUrl}?token=guess-${guess}`).catch((error: unknown) => error);
        expect((refused as Refused).status).toBe(401);
      }
      const limited = await ask(TOKEN);
      expect(limited.status).toBe(429);
      expect(Number(limited.headers.get("retry-after"))).toBeGreaterThan(0);
      const socket = await SocketClient.open(`${socketUrl}?token=${TOKEN}`).catch((error: unknown) => error);
      expect((socket as Refused).status).toBe(429);
      // Who brings no token at all has guessed nothing.
      expect((await fetch(`${url}v1/streams`)).status).toBe(401);
      expect(log.filter((line) => line.includes("a wrong token"))).toHaveLength(10);
      expect(log.join("")).not.toContain("guess-");
    });
  });
});

describe("what a token has open", () => {
  test("is closed when it is revoked, within seconds; a ticket of it is no longer good", async () => {
    const store = memoryStore();
    const { token } = createToken(store.db, { name: "phone", scope: "read", streams: ["mine"] });
    await withServer({ deps: { store } }, async ({ url, socketUrl, pipeline }) => {
      for (const id of ["mine", "other"]) pipeline.addStream(id);
      const headers = { authorization: `Bearer ${token}` };
      const ticketOf = async (): Promise<string> =>
        ((await (await fetch(`${url}v1/tickets`, { method: "POST", headers })).json()) as { ticket: string }).ticket;
      const client = await SocketClient.open(`${socketUrl}?ticket=${await ticketOf()}`);
      const hello = await client.until<Hello>((m) => m.type === "hello");
      expect(hello.streams.map(({ id }) => id)).toEqual(["mine"]);
      expect((await client.ask({ type: "subscribe", streams: ["other"] })).error?.code).toBe("STREAM_UNKNOWN");
      expect((await client.ask({ type: "subscribe", streams: ["*"] })).ok).toBe(true);
      for (const id of ["other", "mine"]) pipeline.show(id);
      await client.untilSeq(0, "mine");
      expect(client.detections("other")).toEqual([]);
      const unused = await ticketOf();
      revokeToken(store.db, "phone");
      expect(await client.closed).toMatchObject({ code: 1008 });
      expect((await fetch(`${url}v1/streams?ticket=${unused}`)).status).toBe(401);
    });
    await store.close();
  });

  test("an answer carries the id of its request, that of the client where it is one", async () => {
    await withApp({}, async ({ ask, log }) => {
      const own = await ask("/v1/streams", { headers: { "x-request-id": "camera-7" } });
      expect(own.headers.get("x-request-id")).toBe("camera-7");
      expect(log.join("")).toContain('"requestId":"camera-7"');
      expect((await ask("/v1/streams")).headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
    });
  });
});
