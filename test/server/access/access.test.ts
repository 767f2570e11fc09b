// Who may ask: the token of the settings, over HTTP and WebSocket.
import { describe, expect, test } from "vitest";
import { Access, type Asked } from "../../../src/server/access/access.ts";
import { Refused, SocketClient } from "../../support/socket-client.ts";
import { withApp, withServer } from "../../support/test-server.ts";
import { steady } from "../../../src/steady-scheduler.ts";

const TOKEN = "a-token-of-24-characters";
const PLAIN: Asked = {
  method: "GET",
  upgrade: false,
  host: "localhost:8080",
  origin: undefined,
  authorization: undefined,
  queryToken: undefined,
};

describe("tokens", () => {
  const access = (): Access =>
    new Access({ config: { host: "127.0.0.1", token: TOKEN, trustedProxies: [] }, clock: steady({ now: () => 0 }) });

  test.each([
    { authorization: `Bearer ${TOKEN}` },
    { authorization: `bearer  ${TOKEN} ` },
    { queryToken: TOKEN },
    { upgrade: true, protocols: `multibox.v1, bearer.${TOKEN}` },
  ])("%o is let in", (asked) => {
    expect(access().identify({ ...PLAIN, ...asked }).scope).toBe("admin");
  });

  test.each<Partial<Asked>>([
    {},
    { authorization: TOKEN },
    { authorization: `Basic ${TOKEN}` },
    { authorization: `Bearer ${TOKEN}x` },
    { authorization: "Bearer " },
    { queryToken: TOKEN.slice(1) },
    { queryToken: TOKEN, method: "POST" },
    { protocols: `bearer.${TOKEN}` },
    { upgrade: true, protocols: `multibox.v1, ${TOKEN}` },
    { authorization: "Bearer wrong", queryToken: TOKEN },
  ])("%o is not", (asked) => {
    const attempt = (): unknown => access().identify({ ...PLAIN, ...asked });
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
