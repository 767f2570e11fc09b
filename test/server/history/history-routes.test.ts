// The history over HTTP: frames of a time by label and score, page by page, as JSON and as lines; counts by interval.
import { describe, expect, test } from "vitest";
import { found } from "../../support/scripted-pipeline.ts";
import { jsonOf, withApp } from "../../support/test-server.ts";

interface Page {
  readonly frames: { seq: number; detections: { label: string }[] }[];
  readonly next?: string;
}

describe("GET /v1/streams/{id}/detections", () => {
  test("has the frames that were detected, those of a label, and of a score, with these detections alone", async () => {
    await withApp({ history: true }, async ({ ask, pipeline, history }) => {
      pipeline.addStream("a");
      // 256 make a batch, which is on the disk soon.
      for (let i = 0; i < 256; i++)
        pipeline.show("a", i % 100 === 7 ? [found("red", 0.9), found("grey", 0.4)] : [found("grey", 0.5)]);
      while (history.status().kept < 256) await new Promise(setImmediate);
      const page = async (query: string): Promise<Page> =>
        (await (await ask(`/v1/streams/a/detections?${query}`)).json()) as Page;
      const first = await page("limit=2");
      expect(first).toMatchObject({
        frames: [
          { type: "detections", stream: "a", seq: 0, pts: 0, width: 320, detections: [{ label: "grey", score: 0.5 }] },
          { seq: 1 },
        ],
        next: "1",
      });
      expect((await page("label=red")).frames.map(({ seq, detections }) => [seq, detections.length])).toEqual([
        [7, 1],
        [107, 1],
        [207, 1],
      ]);
      expect((await page("minScore=0.6")).frames).toHaveLength(3);
      expect(
        (await page("from=2023-11-14T22:13:20.400Z&to=2023-11-14T22:13:20.480Z")).frames.map(({ seq }) => seq),
      ).toEqual([10, 11, 12]);
      const all: number[] = [];
      for (let path: string | undefined = "/v1/streams/a/detections?limit=100"; path !== undefined;) {
        const answer = await ask(path);
        all.push(...((await answer.json()) as Page).frames.map(({ seq }) => seq));
        path = /<([^>]+)>; rel="next"/.exec(answer.headers.get("link") ?? "")?.[1];
      }
      expect(all).toEqual(Array.from({ length: 256 }, (_, i) => i));
      const lines = await ask("/v1/streams/a/detections?label=red", { headers: { accept: "application/x-ndjson" } });
      expect(lines.headers.get("content-type")).toBe("application/x-ndjson");
      expect(
        (await lines.text())
          .trimEnd()
          .split("\n")
          .map((line) => (JSON.parse(line) as { seq: number }).seq),
      ).toEqual([7, 107, 207]);
      expect(await jsonOf(await ask("/v1/streams/a/stats?from=2023-11-14T22:00:00Z&to=2023-11-14T23:00:00Z"))).toEqual({
        intervals: [
          {
            from: "2023-11-14T22:00:00.000Z",
            frames: 256,
            labels: { red: { frames: 3, detections: 3 }, grey: { frames: 256, detections: 256 } },
          },
        ],
      });
      expect(await (await ask("/metrics")).text()).toContain("multibox_history_frames_written_total 256");
    });
  });

  test("labels that plain objects have members of are counted as any other", async () => {
    await withApp({ history: true }, async ({ ask, pipeline, history }) => {
      pipeline.addStream("a");
      const names = ["constructor", "__proto__", "toString"];
      for (let i = 0; i < 256; i++)
        pipeline.show(
          "a",
          names.map((name) => found(name, 0.9)),
        );
      while (history.status().kept < 256) await new Promise(setImmediate);
      const answer = await ask("/v1/streams/a/stats?from=2023-11-14T22:00:00Z&to=2023-11-14T23:00:00Z");
      const { intervals } = (await answer.json()) as { intervals: { labels: object }[] };
      const counted = Object.entries(intervals[0]!.labels);
      expect(counted.sort(([a], [b]) => (a < b ? -1 : 1))).toEqual(
        ["__proto__", "constructor", "toString"].map((name) => [name, { frames: 256, detections: 256 }]),
      );
    });
  });

  test.each([
    ["/v1/streams/none/detections", 404, "STREAM_UNKNOWN"],
    ["/v1/streams/a/detections?from=yesterday", 400, "BAD_REQUEST"],
    ["/v1/streams/a/detections?limit=0", 400, "BAD_REQUEST"],
    ["/v1/streams/a/detections?cursor=x", 400, "BAD_REQUEST"],
    ["/v1/streams/a/stats?interval=61", 400, "BAD_REQUEST"],
    ["/v1/streams/a/stats?from=2020-01-01&to=2026-01-01", 400, "BAD_REQUEST"],
  ])("%s is refused", async (path, status, code) => {
    await withApp({ history: true }, async ({ ask, pipeline }) => {
      pipeline.addStream("a");
      const answer = await ask(path);
      expect([answer.status, await jsonOf(answer)]).toEqual([status, expect.objectContaining({ code })]);
    });
  });

  test("says so where no history is kept, and health knows", async () => {
    await withApp({}, async ({ ask, pipeline }) => {
      pipeline.addStream("a");
      expect(await jsonOf(await ask("/v1/streams/a/detections"))).toMatchObject({ status: 404, code: "HISTORY_OFF" });
      expect(await jsonOf(await ask("/health/ready"))).toMatchObject({ history: { state: "off" } });
    });
  });
});
