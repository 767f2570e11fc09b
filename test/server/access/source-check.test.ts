// Where requests may come from: addresses to listen on, host names, origins.
import { describe, expect, test } from "vitest";
import { checkListen, checkSource, Origin } from "../../../src/server/access/source-check.ts";
import { withApp } from "../../support/test-server.ts";

const TOKEN = "a-token-of-24-characters";
const PLAIN = { method: "GET", upgrade: false, host: "localhost:8080", origin: undefined };
const LOCAL = { host: "127.0.0.1", isOpen: true, allowedOrigins: [] };

describe("listening", () => {
  test.each(["127.0.0.1", "127.8.8.8", "localhost", "::1"])("on %s needs no token", (host) => {
    expect(() => checkListen({ host, token: undefined })).not.toThrow();
  });

  test.each(["0.0.0.0", "::", "192.168.1.7", "cameras.example", "127.example"])("on %s needs one", (host) => {
    expect(() => checkListen({ host, token: undefined })).toThrow(
      expect.objectContaining({ code: "TOKEN_NEEDED", message: expect.stringContaining(host) }),
    );
    expect(() => checkListen({ host, token: TOKEN })).not.toThrow();
    expect(() => checkListen({ host, token: undefined }, true)).not.toThrow();
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
    expect(() => checkSource({ ...LOCAL, isOpen: false }, { ...PLAIN, host: "cameras.example" })).not.toThrow();
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

  test.each([
    ["an image of another site", { fetchSite: "cross-site", fetchMode: "no-cors", fetchDest: "image" }],
    ["one of another port", { fetchSite: "same-site", fetchMode: "no-cors", fetchDest: "image" }],
    ["a frame", { fetchSite: "cross-site", fetchMode: "navigate", fetchDest: "iframe" }],
    [
      "a script's request",
      { fetchSite: "cross-site", fetchMode: "cors", fetchDest: "empty", origin: "http://a.example" },
    ],
  ])("%s is not read without a token", (_, fetch) => {
    const wrong = expect.objectContaining({ code: "ORIGIN_NOT_ALLOWED" });
    expect(() => checkSource(LOCAL, { ...PLAIN, ...fetch })).toThrow(wrong);
    expect(() => checkSource({ ...LOCAL, isOpen: false }, { ...PLAIN, ...fetch })).not.toThrow();
    const allowed = { ...LOCAL, allowedOrigins: ["https://cameras.example"] };
    expect(() => checkSource(allowed, { ...PLAIN, ...fetch })).toThrow(wrong);
    expect(() => checkSource(allowed, { ...PLAIN, ...fetch, origin: "https://cameras.example" })).not.toThrow();
  });

  test.each([
    ["the page itself", { fetchSite: "same-origin", fetchMode: "no-cors", fetchDest: "image" }],
    ["an address that is typed", { fetchSite: "none", fetchMode: "navigate", fetchDest: "document" }],
    ["a link of another site", { fetchSite: "cross-site", fetchMode: "navigate", fetchDest: "document" }],
    ["a program", {}],
  ])("%s may read", (_, fetch) => {
    expect(() => checkSource(LOCAL, { ...PLAIN, ...fetch })).not.toThrow();
  });

  test("images are marked for this origin alone, unless others are allowed", async () => {
    const policy = async (config: { allowedOrigins?: string[] }): Promise<unknown> => {
      let found: string | null = "";
      await withApp({ config }, async ({ ask }) => {
        found = (await ask("/v1/streams")).headers.get("cross-origin-resource-policy");
        const image = {
          headers: { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image" },
        };
        expect((await ask("/v1/streams/x/live.mjpeg", image)).status).toBe(403);
      });
      return found;
    };
    expect(await policy({})).toBe("same-origin");
    expect(await policy({ allowedOrigins: ["https://cameras.example"] })).toBe("cross-origin");
  });

  test("a default port may be written or not", () => {
    const asked = { ...socket, host: "cameras.example:443", origin: "https://cameras.example" };
    expect(() => checkSource({ ...LOCAL, isOpen: false }, asked)).not.toThrow();
  });

  test("of the setting allowedOrigins may, and only those", () => {
    const rules = { ...LOCAL, allowedOrigins: ["https://cameras.example"] };
    expect(() => checkSource(rules, { ...socket, origin: "https://cameras.example" })).not.toThrow();
    for (const origin of ["http://cameras.example", "https://cameras.example:444", "https://x.cameras.example"])
      expect(() => checkSource(rules, { ...socket, origin })).toThrow(
        expect.objectContaining({ code: "ORIGIN_NOT_ALLOWED" }),
      );
  });

  test.each([
    "*",
    "null",
    "https://a.example/",
    "https://a.example/x",
    "ftp://a.example",
    "a.example",
    "https://A.example",
  ])("%s cannot be one in the settings", (origin) => expect(Origin.safeParse(origin).success).toBe(false));

  test("a browser's page of an allowed origin may read answers and refusals, another one may not", async () => {
    await withApp({ config: { allowedOrigins: ["https://cameras.example"], token: TOKEN } }, async ({ ask }) => {
      const headers = { origin: "https://cameras.example" };
      const refused = await ask("/v1/streams", { headers });
      expect([refused.status, refused.headers.get("access-control-allow-origin")]).toEqual([401, headers.origin]);
      const preflight = await ask("/v1/streams", {
        method: "OPTIONS",
        headers: { ...headers, "access-control-request-method": "POST" },
      });
      expect(preflight.status).toBe(204);
      expect(preflight.headers.get("access-control-allow-headers")).toContain("Authorization");
      expect(preflight.headers.get("access-control-allow-credentials")).toBeNull();
      const foreign = await ask("/v1/streams", { headers: { origin: "https://evil.example" } });
      expect(foreign.headers.get("access-control-allow-origin")).toBeNull();
    });
  });
});
