// /v1/streams/{id} over HTTP: changes, pauses, tags that keep two clients from undoing each other's work, and lists in pages.
import { describe, expect, test } from "vitest";
import { jsonOf, withApp } from "../../support/test-server.ts";
import { fc } from "../../support/fast-check.ts";

type Ask = (path: string, init?: RequestInit) => Promise<Response>;

function patch(body: unknown, headers: Record<string, string> = {}): RequestInit {
  return { method: "PATCH", headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body) };
}

describe("PATCH", () => {
  test("changes what it names, takes back what is null, and leaves the rest", async () => {
    await withApp({}, async ({ ask, pipeline }) => {
      pipeline.add({
        id: "cam",
        url: "rtsp://admin:p@ss@10.0.0.9/1",
        loop: true,
        transport: "tcp",
        maxFps: 5,
        priority: 2,
      });
      const changed = await ask(
        "/v1/streams/cam",
        patch({ labels: ["red"], maxFps: null, limits: { red: { minScore: 0.5 } } }),
      );
      expect([changed.status, await changed.json()]).toMatchObject([
        200,
        {
          id: "cam",
          url: "rtsp://10.0.0.9/1",
          settings: { loop: true, transport: "tcp", priority: 2, labels: ["red"], limits: { red: { minScore: 0.5 } } },
        },
      ]);
      expect(pipeline.status("cam").config).toEqual({
        id: "cam",
        url: "rtsp://admin:p@ss@10.0.0.9/1",
        loop: true,
        transport: "tcp",
        priority: 2,
        labels: ["red"],
        limits: { red: { minScore: 0.5 } },
      });
      const merged = await ask(
        "/v1/streams/cam",
        patch({ url: "rtsp://h/2" }, { "content-type": "application/merge-patch+json" }),
      );
      expect([merged.status, pipeline.status("cam").config.url]).toEqual([200, "rtsp://h/2"]);
    });
  });

  test.each<[unknown, number, string, RegExp]>([
    [{ id: "other" }, 400, "BAD_REQUEST", /"id" is not a known field/],
    [{ url: null }, 400, "BAD_REQUEST", /"url" cannot be null/],
    [{ priority: 0 }, 400, "BAD_REQUEST", /"priority" cannot be 0/],
    [
      {
        include: [
          [
            [0, 0],
            [1, 1],
          ],
        ],
      },
      400,
      "BAD_REQUEST",
      /"include\[0\]" cannot be/,
    ],
    [
      {
        exclude: [
          [
            [0, 0],
            [1, 0],
            [1, 2],
          ],
        ],
      },
      400,
      "BAD_REQUEST",
      /"exclude\[0\]\[2\]\[1\]" cannot be 2/,
    ],
    [{ url: "gopher://u:pw@h/" }, 400, "STREAM_BAD_SCHEME", /^"gopher:\/\/h\/" cannot be a stream/],
    [{ url: "/etc/passwd" }, 403, "FILE_NOT_ALLOWED", /passwd/],
    [{ labels: ["unicorn"] }, 400, "LABEL_UNKNOWN", /no label "unicorn"/],
    [{ limits: { unicorn: {} } }, 400, "LABEL_UNKNOWN", /no label "unicorn"/],
  ])("%j is refused, and changes nothing", async (body, status, code, detail) => {
    await withApp({}, async ({ ask, pipeline }) => {
      pipeline.addStream("cam");
      const before = pipeline.status("cam").config;
      const problem = await jsonOf(await ask("/v1/streams/cam", patch(body)));
      expect(problem).toMatchObject({ status, code });
      expect(problem["detail"]).toMatch(detail);
      expect(pipeline.status("cam").config).toEqual(before);
    });
  });

  test("of no stream is 404", async () => {
    await withApp({}, async ({ ask }) => {
      for (const [path, method] of [
        ["x", "PATCH"],
        ["x", "DELETE"],
        ["x/pause", "POST"],
        ["x/resume", "POST"],
      ] as const) {
        const init = method === "PATCH" ? patch({}) : { method };
        expect([path, (await jsonOf(await ask(`/v1/streams/${path}`, init)))["code"]]).toEqual([
          path,
          "STREAM_UNKNOWN",
        ]);
      }
    });
  });
});

test("a stream is paused and goes on, and asking twice changes nothing", async () => {
  await withApp({}, async ({ ask, pipeline }) => {
    pipeline.addStream("cam");
    const post = async (action: string): Promise<unknown> =>
      (await jsonOf(await ask(`/v1/streams/cam/${action}`, { method: "POST" })))["state"];
    for (const action of ["pause", "pause"]) expect(await post(action)).toBe("paused");
    expect(pipeline.status("cam").config.paused).toBe(true);
    for (const action of ["resume", "resume"]) expect(await post(action)).toBe("connecting");
    expect(pipeline.status("cam").config.paused).toBeUndefined();
  });
});

describe("tags", () => {
  const tagOf = async (ask: Ask, path: string): Promise<string> => (await ask(path)).headers.get("etag")!;

  test("an answer that would be the same is not sent again", async () => {
    await withApp({}, async ({ ask, pipeline }) => {
      pipeline.addStream("cam");
      for (const path of ["/v1/streams", "/v1/streams/cam", "/openapi.json"]) {
        const tag = await tagOf(ask, path);
        for (const header of [tag, `"other", W/${tag}`, "*"]) {
          const again = await ask(path, { headers: { "if-none-match": header } });
          expect([path, again.status, again.headers.get("etag"), await again.text()]).toEqual([path, 304, tag, ""]);
        }
        expect((await ask(path, { headers: { "if-none-match": tag.slice(1, -1) } })).status).toBe(200);
      }
      const [all, one] = [await tagOf(ask, "/v1/streams"), await tagOf(ask, "/v1/streams/cam")];
      pipeline.show("cam");
      expect(await tagOf(ask, "/v1/streams")).not.toBe(all);
      expect((await ask("/v1/streams/cam", { headers: { "if-none-match": one } })).status).toBe(200);
    });
  });

  test("a change is refused when another came between, but not because frames did", async () => {
    await withApp({}, async ({ ask, pipeline }) => {
      pipeline.addStream("cam");
      const seen = await tagOf(ask, "/v1/streams/cam");
      pipeline.show("cam");
      const first = await ask("/v1/streams/cam", patch({ priority: 2 }, { "if-match": seen }));
      expect(first.status).toBe(200);
      for (const init of [
        patch({ priority: 3 }, { "if-match": seen }),
        { method: "DELETE", headers: { "if-match": seen } },
      ]) {
        expect(await jsonOf(await ask("/v1/streams/cam", init))).toMatchObject({ status: 412, code: "STREAM_CHANGED" });
      }
      expect(pipeline.status("cam").config.priority).toBe(2);
      const now = await tagOf(ask, "/v1/streams/cam");
      expect((await ask("/v1/streams/cam", patch({ priority: 4 }, { "if-match": `"x", ${now}` }))).status).toBe(200);
      expect((await ask("/v1/streams/cam", { method: "DELETE", headers: { "if-match": "*" } })).status).toBe(204);
      pipeline.addStream("cam");
      expect((await ask("/v1/streams/cam", patch({ priority: 5 }, { "if-match": now }))).status).toBe(412);
    });
  });
});

describe("pages", () => {
  test("have every stream that is there all along exactly once, whatever is added and removed between them", async () => {
    const step = fc.oneof(
      fc.record({ add: fc.nat(30) }),
      fc.record({ remove: fc.nat(30) }),
      fc.record({ page: fc.integer({ min: 1, max: 4 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        await withApp({}, async ({ ask, pipeline }) => {
          const stable = ["s0", "s1", "s2", "s3", "s4"];
          for (const id of stable) pipeline.addStream(id);
          const has = (id: string): boolean => pipeline.list().some(({ config }) => config.id === id);
          const seen: string[] = [];
          let path: string | undefined = "/v1/streams?limit=2";
          const read = async (limit: number): Promise<boolean> => {
            if (path === undefined) return false;
            const answer: Response = await ask(path.replace(/limit=\d+/, `limit=${limit}`));
            const page = (await answer.json()) as { id: string }[];
            expect(page.length).toBeLessThanOrEqual(limit);
            seen.push(...page.map(({ id }) => id));
            path = /^<([^>]+)>; rel="next"$/.exec(answer.headers.get("link") ?? "")?.[1];
            return true;
          };
          for (const one of steps) {
            if ("page" in one) await read(one.page);
            else if ("add" in one && !has(`n${one.add}`)) pipeline.addStream(`n${one.add}`);
            else if ("remove" in one && has(`n${one.remove}`)) await pipeline.remove(`n${one.remove}`);
          }
          while (await read(3));
          expect(seen.filter((id) => stable.includes(id))).toEqual(stable);
        });
      }),
      { numRuns: 40, seed: 4 },
    );
  });

  test("a cursor that is none, and a senseless limit, are refused", async () => {
    await withApp({}, async ({ ask }) => {
      for (const query of ["cursor=x", "cursor=00000000.1", "limit=0", "limit=1.5", "limit=", "limit=2&limit=3"]) {
        expect([query, (await jsonOf(await ask(`/v1/streams?${query}`)))["code"]]).toEqual([query, "BAD_REQUEST"]);
      }
    });
  });
});
