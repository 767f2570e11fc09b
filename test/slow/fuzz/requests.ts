// HTTP requests that are wrong in every way, made from the server's own description of what would be right.
import { SENT } from "./secrets.ts";
import { fc } from "../../support/fast-check.ts";

export interface FuzzRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer | undefined;
}

interface Schema {
  readonly $ref?: string;
  readonly type?: string | string[];
  readonly properties?: Record<string, Schema>;
}

interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: { readonly content: Record<string, { readonly schema: Schema }> };
}

export interface ApiDocument {
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, Schema> };
}

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"];
const SEGMENTS = [
  "cam",
  "demo",
  "none",
  "..",
  "../..",
  "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
  "..%2f..%2fetc%2fpasswd",
  "%00",
  "%",
  "%ff",
  "%c0%af",
  "__proto__",
  "constructor",
  "-1",
  "1e309",
  "🎥",
  "%F0%9F%8E%A5",
  "a%2Fb",
  ";",
  "'--",
  "*",
  "x".repeat(3000),
  "",
];
const TYPES = [
  "application/json",
  "application/json",
  "application/json",
  "application/merge-patch+json",
  "application/json; charset=utf-16",
  "text/plain",
  "image/jpeg",
  "image/png",
  "application/octet-stream",
  "multipart/form-data",
  "multipart/form-data; boundary=",
  'multipart/form-data; boundary=""',
  "multipart/form-data; boundary=edge",
  "application/x-www-form-urlencoded",
  ";",
  "",
];
const NUMBERS = [0, -1, 1, 0.5, 2, 1e308, -1e308, 5e-324, 2 ** 53, 2 ** 63, -0, 1.000001];
const TEXTS = [
  "",
  "cam",
  "*",
  "null",
  "é\u0000\u001f",
  "\ud800",
  "👁".repeat(40),
  "x".repeat(5000),
  "../../../etc/passwd",
  "/etc/passwd",
  "/dev/zero",
  `rtsp://u:${SENT}@127.0.0.1:9/x`,
  `rtsp://u:${SENT}@`,
  `gopher://u:${SENT}@h/`,
  `file://u:${SENT}@/etc/passwd`,
  "concat:/etc/passwd|x",
  `http://u:${SENT}@169.254.169.254/`,
  `RTSP://U:${SENT}/a@b@h:99999/`,
  "2026-13-45T00:00:00Z",
  "Infinity",
  "1e999",
  "0x10",
];

const value = fc.oneof(
  fc.constantFrom<unknown>(null, true, false, [], {}, [[]], [null], { a: { b: [] } }),
  fc.constantFrom<unknown>(...NUMBERS),
  fc.constantFrom<unknown>(...TEXTS),
  fc.jsonValue({ maxDepth: 4 }),
);

/** Bodies that are no JSON, or are more than anyone means. */
const broken = fc.constantFrom<string | Buffer>(
  "",
  "{",
  "}",
  "[1,",
  '{"id":',
  "nul",
  "NaN",
  "{'id': 1}",
  '{"id":"a",}',
  '"',
  "\u0000",
  "1e999999",
  '{"__proto__":{"x":1}}',
  "[".repeat(30_000),
  '{"a":'.repeat(10_000),
  `"${"x".repeat(70_000)}"`,
  `[${"1,".repeat(40_000)}1]`,
  `{"url":"rtsp://u:${SENT}@h`,
  Buffer.from([0xff, 0xfe, 0x00]),
  Buffer.from([0xc3, 0x28]),
  Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 16, 0x4a, 0x46]),
  Buffer.alloc(66_000),
);

/** Any number of requests, the same for the same seed. */
export function fuzzRequests(document: ApiDocument, count: number, seed: number): FuzzRequest[] {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  );
  const one = fc.constantFrom(...operations).chain(({ path, method, operation }) => {
    const names = (operation.parameters ?? []).filter((parameter) => parameter.in === "query").map(({ name }) => name);
    return fc.record({
      method: often(fc.constant(method), fc.constantFrom(...METHODS)),
      path: often(pathOf(path), strangePath),
      query: fc.array(fc.tuple(fc.constantFrom(...names, "nonsense", "limit", "cursor", "__proto__"), queryValue), {
        maxLength: 3,
      }),
      headers: headersOf(operation),
      body: operation.requestBody ? often(nearlyValid(operation, document), broken) : rarely(broken),
    });
  });
  return fc.sample(one, { numRuns: count, seed }).map(({ query, path, ...rest }) => ({
    ...rest,
    path: `${path}${query.length > 0 ? "?" : ""}${query.map(([name, text]) => `${name}=${text}`).join("&")}`,
  }));
}

const queryValue = fc.oneof(
  fc.constantFrom(
    "",
    "0",
    "-1",
    "1e9",
    "0.5",
    "x",
    "%00",
    "%ff",
    "%",
    "a,b,,",
    "2026-01-01",
    "9".repeat(400),
    "null",
    "[]",
  ),
  fc.string({ maxLength: 20 }).map(encodeURIComponent),
);

const strangePath = fc.oneof(
  fc
    .array(fc.constantFrom(...SEGMENTS, "v1", "streams", "captures", "assets", "health"), { maxLength: 6 })
    .map((parts) => `/${parts.join("/")}`),
  fc.constantFrom(
    "//",
    "/v1//streams",
    "/v1/streams/",
    "/assets/../index.html",
    "/..%5c..%5cwindows",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/?#",
    "/.git/config",
  ),
);

function pathOf(path: string): fc.Arbitrary<string> {
  const parts = path
    .split("/")
    .map((part) => (part.startsWith("{") ? fc.constantFrom(...SEGMENTS) : fc.constant(part)));
  return fc.tuple(...parts).map((all) => all.join("/"));
}

function headersOf(operation: Operation): fc.Arbitrary<Record<string, string>> {
  const odd = fc.constantFrom(
    "",
    "*",
    '"',
    '"x"',
    'W/"x", "y"',
    "x".repeat(2000),
    "é",
    "bytes=0-1,2-",
    "Bearer",
    "Bearer x",
    `Basic ${SENT}`,
  );
  return fc
    .record({
      "content-type": operation.requestBody
        ? often(
            fc.constantFrom(...Object.keys(operation.requestBody.content).map(withBoundary)),
            fc.constantFrom(...TYPES),
          )
        : fc.constantFrom(...TYPES),
      "if-match": rarely(odd),
      "if-none-match": rarely(odd),
      authorization: rarely(odd),
      accept: rarely(odd),
      range: rarely(odd),
      origin: rarely(fc.constantFrom("http://evil.example", "null", "")),
      "x-http-method-override": rarely(fc.constant("DELETE")),
      // Understood or not: node:http sends them with `Connection: Upgrade`.
      upgrade: rarely(fc.constantFrom("h2c", "websocket", "WebSocket, h2c", "TLS/1.0", "é", ",", "")),
      "sec-fetch-site": rarely(fc.constantFrom("cross-site", "same-site", "none", "x")),
    })
    .map((headers) =>
      Object.fromEntries(Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined)),
    )
    .map((headers) =>
      Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, Buffer.from(text).toString("latin1")])),
    );
}

/** The fields of the schema, each with something in it, most of it wrong. Nothing that would run is paused before it does. */
function nearlyValid(operation: Operation, { components }: ApiDocument): fc.Arbitrary<string | Buffer> {
  const { content } = operation.requestBody!;
  const schema = content["application/json"]?.schema;
  if ("multipart/form-data" in content) return fc.oneof(parts, brokenParts);
  if (!schema) return broken;
  const { properties } = schema.$ref ? components.schemas[schema.$ref.split("/").at(-1)!]! : schema;
  const fields = fc.record(Object.fromEntries(Object.keys(properties ?? {}).map((name) => [name, value])), {
    requiredKeys: [],
  });
  return often(
    fc.tuple(fields, fc.boolean()).map(([body, more]) => JSON.stringify(more ? { ...body, nonsense: 1 } : body)),
    fc.constantFrom(
      ...[
        { id: "new", url: `rtsp://u:${SENT}@127.0.0.1:9/x`, paused: true },
        { labels: ["person"] },
        { maxFps: 1, priority: null },
      ].map((body) => JSON.stringify(body)),
    ),
  );
}

const BOUNDARY = "edge";
const withBoundary = (type: string): string =>
  type === "multipart/form-data" ? `${type}; boundary=${BOUNDARY}` : type;
const FIELDS = ["out", "every", "fps", "start", "end", "crf", "labels", "file", "__proto__", "", "x".repeat(100)];

/** Parts as they should be, with something in each that should not; no video. */
const parts = fc
  .array(fc.record({ name: fc.constantFrom(...FIELDS), isFile: fc.boolean(), text: fc.constantFrom(...TEXTS) }), {
    maxLength: 5,
  })
  .map((all) => {
    const made = all.map(({ name, isFile, text }) => {
      const file = isFile ? `; filename="${text.replaceAll(/["\r\n]/g, "")}"` : "";
      return `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n${text}\r\n`;
    });
    return `${made.join("")}--${BOUNDARY}--\r\n`;
  });

/** Parts that end early, have no name, or are no parts. */
const brokenParts = fc.oneof(
  fc.tuple(parts, fc.double({ min: 0, max: 1, noNaN: true })).map(([text, at]) => text.slice(0, text.length * at)),
  fc.constantFrom(
    "",
    "--",
    "--\r\n\r\nx",
    `--${BOUNDARY}`,
    `--${BOUNDARY}--`,
    `--${BOUNDARY}\r\n\r\n\r\n--${BOUNDARY}--`,
    `--${BOUNDARY}\r\nContent-Disposition: form-data\r\n\r\nx\r\n--${BOUNDARY}--`,
    `--${BOUNDARY}\r\n${"a: b\r\n".repeat(3000)}\r\nx`,
    `--${BOUNDARY}\r\n`.repeat(2000),
  ),
);

function often<A, B>(usual: fc.Arbitrary<A>, other: fc.Arbitrary<B>): fc.Arbitrary<A | B> {
  return fc.oneof({ arbitrary: usual, weight: 3 }, { arbitrary: other, weight: 1 });
}

function rarely<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.option(arbitrary, { nil: undefined, freq: 2 }).map((made) => made);
}
