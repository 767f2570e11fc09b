// Many requests at once on one connection: they are answered in order, a few in each turn of the event loop.
import { describe, expect, test } from "vitest";
import { RawConnection } from "../support/raw-http.ts";
import { withServer } from "../support/test-server.ts";

const TOKEN = "a-token-of-24-characters";

describe("pipelined requests", () => {
  test.each([
    ["/openapi.json", 200],
    ["/docs", 200],
    ["/v1/streams", 401],
  ])("for %s are all answered, a few between two turns of the event loop", async (path, status) => {
    const count = 250;
    // Time to send a request in counts while the server does not read on, too.
    const deps = { timeouts: { headersTimeout: 300_000 } };
    await withServer({ config: { token: TOKEN }, deps }, async ({ port, log }) => {
      const connection = await RawConnection.open(port);
      const answered = (): number => log.filter((line) => line.includes(`"path":"${path}"`)).length;
      let [before, most, isOver] = [0, 0, false];
      const turn = (): void => {
        if (isOver) return;
        const lines = log.length;
        most = Math.max(most, lines - before);
        before = lines;
        setImmediate(turn);
      };
      turn();
      try {
        connection.send(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`.repeat(count));
        const answers = await connection.first(count);
        expect(answers.map((answer) => answer.status)).toEqual(Array.from({ length: count }, () => status));
        expect(answered()).toBe(count);
        expect(most).toBeLessThan(20);
      } finally {
        isOver = true;
        connection.socket.destroy();
      }
    });
  });

  test("are answered in their order, with their bodies, and other connections are answered in between", async () => {
    await withServer({}, async ({ port, pipeline, log }) => {
      for (let i = 0; i < 200; i++) pipeline.addStream(`cam${i}`);
      const [many, one] = [await RawConnection.open(port), await RawConnection.open(port)];
      try {
        const requests = Array.from({ length: 200 }, (_, i) => {
          const body = JSON.stringify({ minScore: 0.5 });
          const head = `PATCH /v1/streams/cam${i} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n`;
          return `${head}Content-Length: ${body.length}\r\n\r\n${body}GET /v1/streams/cam${i} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
        });
        many.send(requests.join(""));
        await many.first(1);
        one.send("GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n");
        expect((await one.first(1))[0]!.status).toBe(200);
        const answers = await many.first(400);
        const ids = answers.map(({ body }) => (JSON.parse(body) as { id: string }).id);
        expect(ids).toEqual(Array.from({ length: 400 }, (_, i) => `cam${Math.floor(i / 2)}`));
        const paths = log.map((line) => (JSON.parse(line) as { path?: string }).path);
        expect(paths.indexOf("/health/live")).toBeLessThan(paths.indexOf("/v1/streams/cam199"));
      } finally {
        many.socket.destroy();
        one.socket.destroy();
      }
    });
  });

  test("of a client that goes away are not answered, and a client that does not read holds up no other", async () => {
    await withServer({}, async ({ port, url, log }) => {
      const [gone, deaf] = [await RawConnection.open(port), await RawConnection.open(port)];
      try {
        deaf.socket.pause();
        deaf.send("GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(2000));
        gone.send("GET /docs HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(2000));
        await gone.first(1);
        gone.socket.resetAndDestroy();
        for (let i = 0; i < 20; i++) expect((await fetch(`${url}health/live`)).status).toBe(200);
        expect(log.filter((line) => line.includes('"path":"/docs"')).length).toBeLessThan(1500);
        expect(log.filter((line) => line.includes('"path":"/openapi.json"')).length).toBeLessThan(200);
      } finally {
        deaf.socket.destroy();
      }
    });
  });
});
