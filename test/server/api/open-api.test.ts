// /openapi.json says what the server does, and what the server refuses it refuses as the document says.
import { describe, expect, test } from "vitest";
import { jsonOf, withApp } from "../../support/test-server.ts";

interface Operation {
  readonly summary?: string;
  readonly security?: unknown;
  readonly requestBody?: { readonly content: Record<string, unknown> };
  readonly responses: Record<string, { readonly description: string; readonly content?: Record<string, unknown> }>;
}

interface Document {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, unknown> };
}

type Ask = (path: string, init?: RequestInit) => Promise<Response>;

async function operationsOf(ask: Ask): Promise<{ method: string; path: string; operation: Operation }[]> {
  const { paths } = (await (await ask("/openapi.json")).json()) as Document;
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );
}

/** A path that leads to nothing in particular. */
const filled = (path: string): string => path.replaceAll(/\{\w+\}/g, "x");

describe("/openapi.json", () => {
  test("describes every route, with its summary, its answers and its refusals, and every reference leads somewhere", async () => {
    await withApp({}, async ({ ask, app }) => {
      const answer = await ask("/openapi.json");
      const text = await answer.text();
      const document = JSON.parse(text) as Document;
      expect(document.openapi).toBe("3.1.0");
      for (const [, name] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
        expect(Object.keys(document.components.schemas)).toContain(name);
      }
      const operations = await operationsOf(ask);
      for (const { method, path, operation } of operations) {
        expect([method, path, operation.summary]).toEqual([method, path, expect.any(String)]);
        expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(["403", "500"]));
        const refusals = Object.entries(operation.responses).filter(
          ([status]) => Number(status) >= 400 && status !== "503",
        );
        for (const [status, { content }] of refusals) {
          expect([path, status, Object.keys(content!)]).toEqual([path, status, ["application/problem+json"]]);
        }
      }
      const described = new Set(operations.map(({ method, path }) => `${method} ${path}`));
      const routed = app.routes
        .filter(({ method, path }) => method !== "ALL" && !path.includes("*") && !path.startsWith("/docs"))
        .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`);
      expect([...new Set(routed)].toSorted()).toEqual([...described].toSorted());
    });
  });

  test("what it says needs a token does, and the rest does not", async () => {
    await withApp({ config: { token: "a-token-of-24-characters" } }, async ({ ask }) => {
      for (const { method, path, operation } of await operationsOf(ask)) {
        const { status } = await ask(filled(path), { method });
        expect([path, status === 401]).toEqual([path, operation.security !== undefined]);
      }
    });
  });

  test("answers no status that it does not name, whatever the path and the query", async () => {
    await withApp({}, async ({ ask, pipeline }) => {
      pipeline.addStream("x");
      const odd = ["x", "0", "-1", "1e309", "%00", "%ff", "a%2Fb", "constructor", "y".repeat(300)];
      for (const { method, path, operation } of await operationsOf(ask)) {
        // It does not end.
        if (path.endsWith("/live.mjpeg")) continue;
        for (const part of odd) {
          for (const query of ["", `?limit=${part}&width=${part}&nonsense=${part}`]) {
            const asked = path.replaceAll(/\{\w+\}/g, part) + query;
            const answer = await ask(asked, { method, headers: { "content-type": "application/json" } });
            expect([method, asked, Object.keys(operation.responses)]).toEqual([
              method,
              asked,
              expect.arrayContaining([String(answer.status)]) as unknown,
            ]);
          }
        }
      }
    });
  });

  test("every route that reads JSON bounds it, and names what is wrong with it", async () => {
    await withApp({}, async ({ ask, pipeline }) => {
      pipeline.addStream("x");
      const reading = (await operationsOf(ask)).filter(
        ({ operation }) => operation.requestBody && "application/json" in operation.requestBody.content,
      );
      expect(reading.length).toBeGreaterThan(0);
      for (const { method, path } of reading) {
        const send = async (body: string, type = "application/json"): Promise<unknown[]> => {
          const answer = await ask(filled(path), { method, body, headers: { "content-type": type } });
          return [path, answer.status, (await jsonOf(answer))["code"]];
        };
        expect(await send(`"${"x".repeat(70_000)}"`)).toEqual([path, 413, "BODY_TOO_LARGE"]);
        expect(await send("{")).toEqual([path, 400, "BAD_REQUEST"]);
        expect(await send("")).toEqual([path, 400, "BAD_REQUEST"]);
        expect(await send("[]", 'application/json;charset="utf-8"')).toEqual([path, 400, "BAD_REQUEST"]);
        expect(await send('{"nonsense":1}')).toEqual([path, 400, "BAD_REQUEST"]);
        expect(await send("{}", "text/plain")).toEqual([path, 415, "CONTENT_TYPE"]);
      }
    });
  });
});

describe("/docs", () => {
  test("shows every route and every schema, without scripts, and links lead to what is on it", async () => {
    await withApp({}, async ({ ask }) => {
      const document = (await (await ask("/openapi.json")).json()) as Document;
      const text = await (await ask("/docs")).text();
      for (const name of Object.keys(document.components.schemas)) expect(text).toContain(`id="schema-${name}"`);
      for (const { method, path } of await operationsOf(ask)) expect(text).toContain(`id="${method} ${path}"`);
      for (const [, id] of text.matchAll(/href="#([^"]+)"/g)) expect(text).toContain(`id="${id}"`);
      expect(text).not.toMatch(/<script|<style| style=|>undefined<|\[object|(?:src|href)="(?:https?:)?\/\//);
      const style = await ask("/docs/style.css");
      expect([style.status, style.headers.get("content-type")]).toEqual([200, "text/css; charset=utf-8"]);
    });
  });
});

describe("methods", () => {
  test("that a path does not have are refused with those that it has, which OPTIONS lists", async () => {
    await withApp({}, async ({ ask }) => {
      const refused = await ask("/v1/streams", { method: "PUT" });
      expect([refused.status, refused.headers.get("allow"), await refused.json()]).toEqual([
        405,
        "GET, HEAD, POST, OPTIONS",
        expect.objectContaining({ code: "METHOD_NOT_ALLOWED", detail: "/v1/streams does not take PUT." }),
      ]);
      const options = await ask("/v1/streams/x/snapshot.jpg", { method: "OPTIONS" });
      expect([options.status, options.headers.get("allow")]).toEqual([204, "GET, HEAD, OPTIONS"]);
      expect((await ask("/v1/streams/xsnapshotyjpg/snapshot!jpg", { method: "PUT" })).status).toBe(404);
    });
  });

  test("HEAD is answered like GET, without the body", async () => {
    await withApp({}, async ({ ask, pipeline }) => {
      pipeline.addStream("cam");
      for (const path of ["/v1/streams", "/v1/streams/cam", "/health/live", "/metrics", "/openapi.json"]) {
        const [get, head] = [await ask(path), await ask(path, { method: "HEAD" })];
        expect([path, head.status, head.headers.get("content-type"), await head.text()]).toEqual([
          path,
          get.status,
          get.headers.get("content-type"),
          "",
        ]);
      }
    });
  });
});
