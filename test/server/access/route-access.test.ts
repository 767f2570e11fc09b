// What each route needs: every route has an entry, every entry a route, and each is held to.
import { Hono } from "hono";
import { describe, expect, test } from "vitest";
import { checkRoutes, needOf, routesOf } from "../../../src/server/access/route-access.ts";
import { createToken } from "../../../src/server/access/token-table.ts";
import { memoryStore } from "../../support/memory-store.ts";
import { SocketClient } from "../../support/socket-client.ts";
import { jsonOf, withApp, withServer } from "../../support/test-server.ts";

const SCOPES = ["read", "write", "admin"] as const;

test("every route of the server is in the table", async () => {
  await withApp({}, async ({ app }) => {
    expect(routesOf(app).length).toBeGreaterThan(10);
    expect(routesOf(app).filter((route) => needOf(route) === undefined)).toEqual([]);
    await Promise.resolve();
  });
});

test("a route that is not in it does not start", () => {
  const app = new Hono().get("/v1/secrets", (c) => c.text(""));
  expect(() => checkRoutes(app)).toThrow("GET /v1/secrets");
});

describe("each route", () => {
  test("asks for a token where it is not public, and for its scope", async () => {
    const store = memoryStore();
    const made = SCOPES.map((scope) => createToken(store.db, { name: scope, scope }).token);
    await withApp({ deps: { store } }, async ({ app, ask }) => {
      for (const route of routesOf(app)) {
        const [method, pattern] = route.split(" ") as [string, string];
        const path = pattern.replaceAll(/:\w+/g, "nobody");
        const need = needOf(route)!;
        const code = async (token?: string): Promise<unknown> => {
          const answer = await ask(path, { method, ...(token && { headers: { authorization: `Bearer ${token}` } }) });
          return answer.status === 401 || answer.status === 403 ? (await jsonOf(answer))["code"] : "let in";
        };
        expect([route, await code()]).toEqual([route, need === "public" ? "let in" : "TOKEN_WRONG"]);
        if (need === "public") continue;
        for (const [i, token] of made.entries()) {
          const expected = i >= SCOPES.indexOf(need.scope) ? "let in" : "SCOPE_MISSING";
          expect([route, SCOPES[i], await code(token)]).toEqual([route, SCOPES[i], expected]);
        }
      }
    });
    await store.close();
  });

  test("of a stream that does not exist says the same as of one of others, and names no other", async () => {
    const store = memoryStore();
    const { token } = createToken(store.db, { name: "mine", scope: "write", streams: ["mine", "later"] });
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    let routes: string[] = [];
    await withApp({}, async ({ app }) => {
      routes = routesOf(app);
      await Promise.resolve();
    });
    await withServer({ deps: { store }, history: true }, async ({ url, socketUrl, pipeline }) => {
      for (const id of ["mine", "secretcam"]) pipeline.addStream(id);
      const ofPath = routes.filter((route) => needOf(route) !== "public" && route.includes("/v1/streams/:id"));
      expect(ofPath.length).toBeGreaterThan(8);
      for (const route of ofPath) {
        const [method, pattern] = route.split(" ") as [string, string];
        const [later, secret, nobody] = await Promise.all(
          ["later", "secretcam", "nobody"].map(async (id) => {
            const body = method === "PATCH" ? "{}" : null;
            const answer = await fetch(new URL(pattern.replace(":id", id), url), { method, headers, body });
            return [answer.status, (await answer.text()).replaceAll(`\\"${id}\\"`, "ID")];
          }),
        );
        expect([route, secret]).toEqual([route, nobody]);
        expect([route, later]).toEqual([route, nobody]);
        expect(JSON.stringify([later, secret])).not.toContain("secretcam");
      }
      const client = await SocketClient.open(socketUrl, { headers });
      for (const request of [
        { type: "subscribe", streams: ["later"] },
        { type: "subscribe", streams: ["mine"], since: { later: 1 } },
        { type: "watch", topics: ["jobs"] },
        { type: "unsubscribe", streams: ["later"] },
      ])
        await client.ask(request);
      expect(JSON.stringify(client.messages)).not.toContain("secretcam");
      client.socket.terminate();
    });
    await store.close();
  });

  test("of one stream does not exist for a token of others, and one of all is refused", async () => {
    const store = memoryStore();
    const { token } = createToken(store.db, { name: "mine", scope: "write", streams: ["mine", "later"] });
    const headers = { authorization: `Bearer ${token}` };
    await withApp({ deps: { store } }, async ({ app, ask, pipeline }) => {
      for (const id of ["mine", "other"]) pipeline.addStream(id);
      const code = async (method: string, path: string): Promise<unknown> =>
        (await jsonOf(await ask(path, { method, headers })))["code"];
      for (const route of routesOf(app)) {
        const [method, pattern] = route.split(" ") as [string, string];
        const need = needOf(route)!;
        if (need === "public") continue;
        if (need.streams === "filtered") continue;
        // A token of scope admin cannot be limited to streams.
        const ofAll = need.scope === "admin" ? "SCOPE_MISSING" : "STREAMS_LIMITED";
        const refusal = need.streams === "all" ? ofAll : "STREAM_UNKNOWN";
        for (const id of ["other", "%6fther"])
          expect([route, await code(method, pattern.replace(":id", id))]).toEqual([route, refusal]);
      }
      const list = (await (await ask("/v1/streams", { headers })).json()) as { id: string }[];
      expect(list.map(({ id }) => id)).toEqual(["mine"]);
      const add = (id: string): Promise<Response> =>
        ask("/v1/streams", {
          method: "POST",
          headers: { ...headers, "content-type": "application/json" },
          body: JSON.stringify({ id, url: "rtsp://192.0.2.1/x" }),
        });
      expect((await add("later")).status).toBe(201);
      expect([(await add("new")).status, (await add("other")).status]).toEqual([403, 403]);
      expect(pipeline.list().map(({ config }) => config.id)).toEqual(["mine", "other", "later"]);
    });
    await store.close();
  });
});
