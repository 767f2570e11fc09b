// Requests with an Upgrade: a WebSocket where it is one, and answered as if it were not there otherwise (RFC 9110, section 7.8).
import { describe, expect, test } from "vitest";
import type { StreamInfo } from "../../src/server/protocol.ts";
import { RawConnection } from "../support/raw-http.ts";
import { SocketClient } from "../support/socket-client.ts";
import { withServer } from "../support/test-server.ts";

/** Node.js 26 reads the body of a request with an Upgrade apart from what comes behind it. */
const readsBodiesApart = Number.parseInt(process.versions.node, 10) >= 26;
const H2C = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n";
const WEBSOCKET = "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const get = (path: string, headers = ""): string => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`;

async function withConnection(use: (connection: RawConnection, port: number) => Promise<void>): Promise<void> {
  await withServer({}, async ({ port, pipeline }) => {
    pipeline.addStream("cam");
    const connection = await RawConnection.open(port);
    try {
      await use(connection, port);
    } finally {
      connection.socket.destroy();
    }
  });
}

describe("an Upgrade that is not understood", () => {
  test.each([
    ["h2c", H2C],
    ["two protocols", "Connection: upgrade\r\nUpgrade: TLS/1.0, HTTP/2.0\r\n"],
    ["an empty one", "Connection: Upgrade\r\nUpgrade: \r\n"],
    ["bytes that are no ASCII", "Connection: Upgrade\r\nUpgrade: \xe9\xff\r\nX-A: \xe9\r\n"],
    ["a WebSocket where there is none", `${WEBSOCKET}Upgrade: websocket\r\n`],
  ])("is ignored: %s", async (_, headers) => {
    await withConnection(async (connection) => {
      connection.send(Buffer.from(get("/v1/streams/cam", headers) + get("/health/live"), "latin1"));
      const [stream, live] = await connection.first(2);
      expect([stream!.status, JSON.parse(stream!.body)]).toEqual([200, expect.objectContaining({ id: "cam" })]);
      expect([live!.status, live!.body]).toEqual([200, expect.stringContaining("live")]);
    });
  });

  test.skipIf(!readsBodiesApart)("with a body is refused at once, and the connection closed (Node.js 26)", async () => {
    await withConnection(async (connection) => {
      connection.send(`PATCH /v1/streams/cam HTTP/1.1\r\nHost: localhost\r\n${H2C}Content-Length: 2\r\n\r\n{`);
      const [answer] = await connection.first(1);
      expect([answer!.status, JSON.parse(answer!.body)]).toEqual([
        400,
        expect.objectContaining({ code: "BAD_REQUEST" }),
      ]);
      await connection.closed;
    });
  });

  test.skipIf(readsBodiesApart)(
    "leaves the body, what stands before, and what comes behind it as they are (before Node.js 26)",
    async () => {
      await withConnection(async (connection) => {
        const body = JSON.stringify({ minScore: 0.75 });
        const patch = (more: string): string =>
          `PATCH /v1/streams/cam HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${H2C}${more}\r\n`;
        const chunked = `Transfer-Encoding: chunked\r\n`;
        connection.send(get("/v1/streams/cam") + get("/docs") + patch(`Content-Length: ${body.length}\r\n`) + body);
        connection.send(`${get("/v1/streams/cam")}${patch(chunked)}${body.length.toString(16)}\r\n${body.slice(0, 5)}`);
        await connection.first(4);
        connection.send(`${body.slice(5)}\r\n0\r\n\r\n${get("/health/live")}`);
        const answers = await connection.first(6);
        expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200]);
        const scores = [0, 2, 3, 4].map((i) => (JSON.parse(answers[i]!.body) as StreamInfo).settings.minScore);
        expect(scores).toEqual([undefined, 0.75, 0.75, 0.75]);
        expect(answers[5]!.body).toContain("live");
      });
    },
  );

  test("may stand in each of many requests of a connection", async () => {
    const warnings: string[] = [];
    const listen = ({ message }: Error): unknown => warnings.push(message);
    process.on("warning", listen);
    try {
      await withConnection(async (connection) => {
        connection.send(get("/health/live", H2C).repeat(40));
        expect((await connection.first(40)).map(({ status }) => status)).toEqual(Array.from({ length: 40 }, () => 200));
      });
      expect(warnings).toEqual([]);
    } finally {
      process.off("warning", listen);
    }
  });
});

describe("a WebSocket", () => {
  test("may be one of several protocols that a request names, and comes after the answers before it", async () => {
    await withConnection(async (connection) => {
      connection.send(
        get("/v1/streams") + get("/docs") + get("/v1/detections", `${WEBSOCKET}Upgrade: h2c, WebSocket\r\n`),
      );
      const answers = await connection.first(3);
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 101]);
      expect(answers[2]!.headers.get("upgrade")).toBe("websocket");
    });
  });

  test("that breaks off before its turn does no harm", async () => {
    await withConnection(async (connection, port) => {
      connection.send(get("/docs").repeat(20) + get("/v1/detections", `${WEBSOCKET}Upgrade: websocket\r\n`));
      await connection.first(1);
      connection.socket.resetAndDestroy();
      const client = await SocketClient.open(`ws://127.0.0.1:${port}/v1/detections`);
      expect((await client.until((message) => message.type === "hello")).type).toBe("hello");
      client.socket.terminate();
    });
  });
});
