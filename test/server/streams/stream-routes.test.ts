// /v1/streams over HTTP: what is listed, what is refused, and in which words.
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MultiboxError } from "../../../src/errors.ts";
import { jsonOf, withApp } from "../../support/test-server.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "multibox-streams-"));
  await mkdir(join(folder, "open"));
  await mkdir(join(folder, "openly"));
  for (const name of ["open/yard.mp4", "openly/near.mp4", "secret.mp4"])
    await writeFile(join(folder, name), "not really");
  await symlink(join(folder, "secret.mp4"), join(folder, "open/link.mp4"));
  await symlink(join(folder, "open/yard.mp4"), join(folder, "open/inner.mp4"));
  await symlink(join(folder, "open"), join(folder, "alias"));
});
afterAll(() => rm(folder, { recursive: true }));

function post(body: unknown, type = "application/json"): RequestInit {
  return {
    method: "POST",
    headers: { "content-type": type },
    body: typeof body === "string" ? body : JSON.stringify(body),
  };
}

test("a stream is added, listed, looked at and removed", async () => {
  await withApp({}, async ({ ask }) => {
    expect(await (await ask("/v1/streams")).json()).toEqual([]);
    const added = await ask("/v1/streams", post({ id: "cam1", url: "rtsp://admin:p@ss@10.0.0.9/ch1" }));
    expect([added.status, added.headers.get("location")]).toEqual([201, "/v1/streams/cam1"]);
    const info = {
      id: "cam1",
      url: "rtsp://10.0.0.9/ch1",
      state: "connecting",
      since: "1970-01-01T00:00:00.000Z",
      fps: { decoded: 25, detected: 12.5 },
      counts: { decoded: 2, detected: 0, inFlight: 1, dropped: { superseded: 1 } },
      settings: { loop: true, transport: "tcp" },
    };
    expect(await added.json()).toEqual(info);
    expect(await (await ask("/v1/streams")).json()).toEqual([info]);
    expect(await (await ask("/v1/streams/cam1")).json()).toEqual(info);
    expect((await ask("/v1/streams/cam1", { method: "DELETE" })).status).toBe(204);
    const gone = await ask("/v1/streams/cam1", { method: "DELETE" });
    expect([gone.status, (await jsonOf(gone))["code"]]).toEqual([404, "STREAM_UNKNOWN"]);
    expect((await ask("/v1/streams/cam1")).status).toBe(404);
  });
});

test.each([
  ["url", "rtsp://127.0.0.1:9/\u0000"],
  ["url", "rtsp://127.0.0.1:9/\nx"],
  ["url", "rtsp://127.0.0.1:9/\ud800"],
  ["model", "a\u0000b"],
  ["labels[0]", "a\u0007"],
  ["capture.labels[0]", "\udc00"],
  ["limits.a\u0000b", { minScore: 0.5 }],
])(
  "a new or changed stream whose %s has control characters or half a character is refused by name",
  async (name, value) => {
    await withApp({}, async ({ ask, pipeline }) => {
      const setting = name.startsWith("limits")
        ? { limits: { "a\u0000b": value } }
        : name.startsWith("capture")
          ? { capture: { labels: [value] } }
          : name.startsWith("labels")
            ? { labels: [value] }
            : { [name]: value };
      pipeline.addStream("there");
      for (const [path, init] of [
        ["/v1/streams", post({ id: "new", url: "rtsp://127.0.0.1:9/x", ...setting })],
        ["/v1/streams/there", { ...post(setting), method: "PATCH" }],
      ] as const) {
        const answer = await ask(path, init);
        const problem = await jsonOf(answer);
        expect([answer.status, problem["code"]]).toEqual([400, "BAD_REQUEST"]);
        expect(problem["detail"]).toContain(name.split(/[[.]/, 1)[0]);
      }
      expect(pipeline.list().map(({ config }) => [config.id, config.url])).toEqual([["there", "/videos/there.mp4"]]);
    });
  },
);

test("a failing stream says why, without its password even where ffmpeg quoted it", async () => {
  await withApp({}, async ({ ask, pipeline }) => {
    pipeline.addStream("cam1", "rtsp://admin:hunter22@10.0.0.9/ch1");
    const error = new MultiboxError(
      "STREAM_AUTH_FAILED",
      "rtsp://admin:hunter22@10.0.0.9/ch1: 401, tried hunter22",
      "Check it.",
    );
    pipeline.setStatus("cam1", { state: "misconfigured", error, size: { width: 640, height: 360 } });
    const text = await (await ask("/v1/streams")).text();
    expect(text).not.toContain("hunter22");
    expect((JSON.parse(text) as unknown[])[0]).toMatchObject({
      state: "misconfigured",
      width: 640,
      height: 360,
      error: { code: "STREAM_AUTH_FAILED", hint: "Check it." },
    });
  });
});

describe("refused, as problem+json with the field and its value", () => {
  const cases: [name: string, init: RequestInit, status: number, code: string, detail: string | RegExp][] = [
    ["no JSON", post("{id: 1"), 400, "BAD_REQUEST", "The body is not JSON."],
    ["an array", post([1]), 400, "BAD_REQUEST", /^The message cannot be \[1\]: /],
    ["no id", post({ url: "rtsp://h/" }), 400, "BAD_REQUEST", '"id" is missing.'],
    [
      "an id with a slash",
      post({ id: "a/b", url: "rtsp://h/" }),
      400,
      "BAD_REQUEST",
      /^"id" cannot be "a\/b": must be 1 to 64 letters/,
    ],
    [
      "an unknown field",
      post({ id: "a", url: "rtsp://h/", lop: true }),
      400,
      "BAD_REQUEST",
      '"lop" is not a known field.',
    ],
    ["a wrong type", post({ id: "a", url: "rtsp://h/", loop: "yes" }), 400, "BAD_REQUEST", /^"loop" cannot be "yes": /],
    [
      "an unknown transport",
      post({ id: "a", url: "rtsp://h/", transport: "sctp" }),
      400,
      "BAD_REQUEST",
      /^"transport" cannot be "sctp"/,
    ],
    [
      "an unknown scheme",
      post({ id: "a", url: "gopher://u:pw@h/" }),
      400,
      "STREAM_BAD_SCHEME",
      /^"gopher:\/\/h\/" cannot be a stream/,
    ],
    ["a file URL", post({ id: "a", url: "file:///etc/passwd" }), 400, "STREAM_BAD_SCHEME", /rtsp, rtsps, http, https/],
    ["ffmpeg's concat:", post({ id: "a", url: "concat:/etc/passwd" }), 403, "FILE_NOT_ALLOWED", /concat:/],
    ["a taken id", post({ id: "taken", url: "rtsp://h/" }), 409, "STREAM_EXISTS", /taken/],
    ["another content type", post({ id: "a", url: "rtsp://h/" }, "text/plain"), 415, "CONTENT_TYPE", /text\/plain/],
    ["a huge body", post(`{"id":"${"x".repeat(70_000)}"}`), 413, "BODY_TOO_LARGE", "The body has more than 64 KiB."],
  ];
  test.each(cases)("%s", async (_name, init, status, code, detail) => {
    await withApp({}, async ({ ask, pipeline }) => {
      pipeline.addStream("taken");
      const answer = await ask("/v1/streams", init);
      expect(answer.headers.get("content-type")).toBe("application/problem+json");
      const problem = await jsonOf(answer);
      expect(problem).toMatchObject({ status, code, type: `urn:multibox:problem:${code}`, title: expect.any(String) });
      expect(problem["detail"]).toMatch(detail);
      expect(answer.status).toBe(status);
      expect(pipeline.list()).toHaveLength(1);
    });
  });

  test("a long URL's password is not in the answer", async () => {
    await withApp({}, async ({ ask }) => {
      const answer = await ask("/v1/streams", post({ id: "a", url: `rtsp://admin:hunter22@h/${"x".repeat(3000)}` }));
      const text = await answer.text();
      expect([answer.status, text.includes("hunter22")]).toEqual([400, false]);
    });
  });
});

describe("files", () => {
  const status = async (path: string, roots = [join(folder, "open")]): Promise<[number, string]> => {
    let result: [number, string] = [0, ""];
    await withApp({ config: { fileRoots: roots } }, async ({ ask, pipeline }) => {
      const answer = await ask("/v1/streams", post({ id: "a", url: path }));
      const body = await jsonOf(answer);
      result = [answer.status, answer.status === 201 ? pipeline.status("a").config.url : String(body["code"])];
    });
    return result;
  };

  test("none may be opened unless a folder is allowed, and the answer says how", async () => {
    await withApp({}, async ({ ask }) => {
      const answer = await ask("/v1/streams", post({ id: "a", url: join(folder, "open/yard.mp4") }));
      expect(await answer.json()).toMatchObject({
        status: 403,
        code: "FILE_NOT_ALLOWED",
        hint: expect.stringContaining("fileRoots"),
      });
    });
  });

  test("those of an allowed folder may, also by a link that stays inside or over an allowed alias", async () => {
    const real = join(folder, "open/yard.mp4");
    expect(await status(real)).toEqual([201, real]);
    expect(await status(join(folder, "open/inner.mp4"))).toEqual([201, real]);
    expect(await status(join(folder, "alias/yard.mp4"), [join(folder, "alias")])).toEqual([201, real]);
  });

  test("a link, a path with .. or a neighbour whose name begins alike does not lead out", async () => {
    for (const path of ["open/link.mp4", "open/../secret.mp4", "openly/near.mp4", "nothing.mp4"]) {
      expect([path, ...(await status(`${folder}/${path}`))]).toEqual([path, 403, "FILE_NOT_ALLOWED"]);
    }
  });

  test("a missing file and a folder are told apart from a forbidden one only inside", async () => {
    expect(await status(join(folder, "open/nothing.mp4"))).toEqual([400, "FILE_NOT_FOUND"]);
    expect(await status(join(folder, "open/.."), [tmpdir()])).toEqual([400, "FILE_NOT_FOUND"]);
  });
});
