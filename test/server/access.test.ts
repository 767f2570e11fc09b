// Who may ask: tokens, origins, host names.
import { describe, expect, test } from "vitest";
import { checkListen, checkSource, checkToken, type Asked } from "../../src/server/access.ts";
import { Refused, SocketClient } from "../support/socket-client.ts";
import { withApp, withServer } from "../support/test-server.ts";

const TOKEN = "a-token-of-24-characters";
const PLAIN: Asked = {
  method: "GET",
  upgrade: false,
  host: "localhost:8080",
  origin: undefined,
  authorization: undefined,
  queryToken: undefined,
};
const LOCAL = { host: "127.0.0.1", token: undefined };

describe("listening", () => {
  test.each(["127.0.0.1", "127.8.8.8", "localhost", "::1"])("on %s needs no token", (host) => {
    expect(() => checkListen({ host, token: undefined })).not.toThrow();
  });

  test.each(["0.0.0.0", "::", "192.168.1.7", "cameras.example", "127.example"])("on %s needs one", (host) => {
    expect(() => checkListen({ host, token: undefined })).toThrow(
      expect.objectContaining({ code: "TOKEN_NEEDED", message: expect.stringContaining(host) }),
    );
    expect(() => checkListen({ host, token: TOKEN })).not.toThrow();
  });
});

describe("host names", () => {
  test.each(["localhost", "localhost:9", "127.0.0.1:8080", "[::1]:8080", "127.0.0.2"])("%s is this machine", (host) => {
    expect(() => checkSource(LOCAL, { ...PLAIN, host })).not.toThrow();
  });

  test.each([
    "evil.example",
    "evil.example:8080",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "",
    undefined,
    "a b",
  ])("%s is refused without a token, since a page may have pointed it here", (host) => {
    expect(() => checkSource(LOCAL, { ...PLAIN, host })).toThrow(expect.objectContaining({ code: "HOST_NOT_ALLOWED" }));
  });

  test("with a token any name will do, for a proxy's sake", () => {
    expect(() => checkSource({ ...LOCAL, token: TOKEN }, { ...PLAIN, host: "cameras.example" })).not.toThrow();
  });
});

describe("origins", () => {
  const post = { ...PLAIN, method: "POST" };
  const socket = { ...PLAIN, upgrade: true };

  test.each([undefined, "http://localhost:8080", "https://localhost:8080"])(
    "%s may change things and open WebSockets",
    (origin) => {
      expect(() => checkSource(LOCAL, { ...post, origin })).not.toThrow();
      expect(() => checkSource(LOCAL, { ...socket, origin })).not.toThrow();
    },
  );

  test.each(["http://evil.example", "http://localhost:8081", "http://localhost", "null", "", "file://"])(
    "%j may not",
    (origin) => {
      const wrong = expect.objectContaining({ code: "ORIGIN_NOT_ALLOWED" });
      expect(() => checkSource(LOCAL, { ...post, origin })).toThrow(wrong);
      expect(() => checkSource(LOCAL, { ...post, method: "DELETE", origin })).toThrow(wrong);
      expect(() => checkSource(LOCAL, { ...socket, origin })).toThrow(wrong);
      expect(() => checkSource(LOCAL, { ...PLAIN, origin })).not.toThrow();
    },
  );

  test("a default port may be written or not", () => {
    const asked = { ...socket, host: "cameras.example:443", origin: "https://cameras.example" };
    expect(() => checkSource({ ...LOCAL, token: TOKEN }, asked)).not.toThrow();
  });
});

describe("tokens", () => {
  const config = { ...LOCAL, token: TOKEN };

  test.each([{ authorization: `Bearer ${TOKEN}` }, { authorization: `bearer  ${TOKEN} ` }, { queryToken: TOKEN }])(
    "%o is let in",
    (asked) => {
      expect(() => checkToken(config, { ...PLAIN, ...asked })).not.toThrow();
    },
  );

  test.each<Partial<Asked>>([
    {},
    { authorization: TOKEN },
    { authorization: `Basic ${TOKEN}` },
    { authorization: `Bearer ${TOKEN}x` },
    { authorization: "Bearer " },
    { queryToken: TOKEN.slice(1) },
    { queryToken: TOKEN, method: "POST" },
    { authorization: "Bearer wrong", queryToken: TOKEN },
  ])("%o is not", (asked) => {
    const attempt = (): void => checkToken(config, { ...PLAIN, ...asked });
    expect(attempt).toThrow(expect.objectContaining({ code: "TOKEN_WRONG" }));
    expect(attempt).not.toThrow(TOKEN);
  });

  test("everything but the page and the health needs it, and it reaches no log", async () => {
    await withApp({ config: { token: TOKEN } }, async ({ ask, pipeline, log }) => {
      pipeline.addStream("cam");
      const closed = [
        "/v1/streams",
        "/v1/streams/cam",
        "/v1/streams/cam/live.mjpeg",
        "/v1/x",
        "/v1",
        "/metrics",
        "/%76%31/streams",
      ];
      for (const path of closed) expect([path, (await ask(path)).status]).toEqual([path, 401]);
      for (const path of ["/", "/health/live", "/health/ready"]) expect((await ask(path)).status).not.toBe(401);
      const refused = await ask("/v1/detect", { method: "POST", body: "x" });
      expect(refused.headers.get("www-authenticate")).toContain("Bearer");
      expect(await refused.json()).toMatchObject({ code: "TOKEN_WRONG", status: 401 });
      expect((await ask(`/v1/streams?token=${TOKEN}`)).status).toBe(200);
      expect((await ask("/v1/streams", { headers: { authorization: `Bearer ${TOKEN}` } })).status).toBe(200);
      expect(log.length).toBeGreaterThan(5);
      expect(log.join("")).not.toContain(TOKEN);
    });
  });

  test("a WebSocket needs it too, and is told so in a sentence", async () => {
    await withServer({ config: { token: TOKEN } }, async ({ socketUrl }) => {
      const refused = await SocketClient.open(socketUrl).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(Refused);
      expect(refused).toMatchObject({ status: 401, body: expect.stringContaining("TOKEN_WRONG") });
      await SocketClient.open(`${socketUrl}?token=${TOKEN}`);
      await SocketClient.open(socketUrl, { headers: { authorization: `Bearer ${TOKEN}` } });
    });
  });

  test("a WebSocket from another page, or by another name, is refused", async () => {
    await withServer({}, async ({ socketUrl, port }) => {
      const foreign = SocketClient.open(socketUrl, { origin: "http://evil.example" });
      await expect(foreign).rejects.toMatchObject({ status: 403, body: expect.stringContaining("ORIGIN_NOT_ALLOWED") });
      const rebound = SocketClient.open(socketUrl, { headers: { host: "evil.example" } });
      await expect(rebound).rejects.toMatchObject({ status: 403, body: expect.stringContaining("HOST_NOT_ALLOWED") });
      const elsewhere = SocketClient.open(`ws://127.0.0.1:${port}/v1/detection`);
      await expect(elsewhere).rejects.toMatchObject({ status: 404, body: expect.stringContaining("/v1/detection") });
      await SocketClient.open(socketUrl, { origin: `http://127.0.0.1:${port}` });
    });
  });
});
