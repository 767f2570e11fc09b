import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { memoryStore } from "../../support/memory-store.ts";
import { createToken } from "../../../src/server/access/token-table.ts";
import { found } from "../../support/scripted-pipeline.ts";
import { jsonOf, withApp } from "../../support/test-server.ts";

const JSON_TYPE = { "content-type": "application/json" };

describe("/v1/captures", () => {
  it("keeps the newest frame by call, lets it be corrected, and deletes it", async () => {
    await withApp({}, async ({ pipeline, ask, captures }) => {
      pipeline.addStream("yard");
      const early = await ask("/v1/streams/yard/captures", { method: "POST" });
      expect([early.status, (await jsonOf(early))["code"]]).toEqual([503, "STREAM_NO_FRAME"]);
      pipeline.show("yard", [found("dog", 0.8)]);
      const kept = await ask("/v1/streams/yard/captures", { method: "POST" });
      expect(kept.status).toBe(201);
      const path = kept.headers.get("location")!;
      expect(await jsonOf(kept)).toMatchObject({ stream: "yard", reason: "call", status: "new", width: 320 });

      const picture = await ask(`${path}/picture.jpg?width=100`);
      expect(picture.headers.get("content-type")).toBe("image/jpeg");
      expect((await sharp(Buffer.from(await picture.arrayBuffer())).metadata()).width).toBe(100);

      const objects = [{ bbox: [1, 2, 30, 40], label: "wolf" }];
      const body = JSON.stringify({ status: "accepted", objects });
      const changed = await ask(path, { method: "PATCH", headers: JSON_TYPE, body });
      expect(await jsonOf(changed)).toMatchObject({ status: "accepted", objects });
      // A line end in a label would be two labels in a list of names.
      for (const [label, plain] of [
        ["__proto__", "__proto__"],
        ["grey\twolf\n", "grey wolf"],
        ["grey\u0000\u2028wolf", "grey wolf"],
      ]) {
        const odd = JSON.stringify({ objects: [{ bbox: [1, 2, 30, 40], label }] });
        const answer = await jsonOf(await ask(path, { method: "PATCH", headers: JSON_TYPE, body: odd }));
        expect(answer).toMatchObject({ objects: [{ label: plain }] });
      }
      const unnamed = JSON.stringify({ objects: [{ bbox: [1, 2, 30, 40], label: " " }] });
      expect((await ask(path, { method: "PATCH", headers: JSON_TYPE, body: unnamed })).status).toBe(400);
      await ask(path, { method: "PATCH", headers: JSON_TYPE, body });
      expect(captures.list({ label: "wolf", status: "accepted" })).toHaveLength(1);

      expect((await ask(path, { method: "DELETE" })).status).toBe(204);
      expect((await ask(path)).status).toBe(404);
    });
  });

  it("keeps frames by the rules of the stream, and lists them page by page", async () => {
    await withApp({}, async ({ pipeline, ask, captures }) => {
      const capture = { share: 1, minGapSeconds: 0, skipSimilar: 0 };
      pipeline.add({ id: "yard", url: "/videos/yard.mp4", loop: true, transport: "tcp", capture });
      pipeline.addStream("gate");
      pipeline.show("gate");
      pipeline.show("yard");
      await expect.poll(() => captures.size.count, { timeout: 20_000 }).toBe(1);
      pipeline.show("gate");
      const post = (): Promise<Response> => ask("/v1/streams/gate/captures", { method: "POST" });
      await post();
      await post().catch(() => undefined);
      const first = await jsonOf(await ask("/v1/captures?limit=1"));
      expect(first).toMatchObject({ total: captures.size.count, captures: [{ stream: "yard", reason: "share" }] });
      const second = await jsonOf(await ask(`/v1/captures?limit=1&cursor=${String(first["next"])}`));
      expect(second).toMatchObject({ captures: [{ stream: "gate", reason: "call" }] });
      expect(await jsonOf(await ask("/v1/captures?stream=yard"))).toMatchObject({ total: 1 });
      expect(await jsonOf(await ask("/v1/captures?status=accepted"))).toEqual({ captures: [], total: 0, labels: [] });
    });
  });

  it("has only captures of its streams for a token that is limited to some", async () => {
    const store = memoryStore();
    const all = { authorization: `Bearer ${createToken(store.db, { name: "all", scope: "write" }).token}` };
    const own = {
      authorization: `Bearer ${createToken(store.db, { name: "own", scope: "write", streams: ["yard"] }).token}`,
    };
    await withApp({ deps: { store } }, async ({ pipeline, ask }) => {
      const paths: string[] = [];
      for (const id of ["yard", "gate"]) {
        pipeline.addStream(id);
        pipeline.show(id);
        const kept = await ask(`/v1/streams/${id}/captures`, { method: "POST", headers: all });
        paths.push(kept.headers.get("location")!);
      }
      const list = await jsonOf(await ask("/v1/captures", { headers: own }));
      expect(list).toMatchObject({ total: 1, captures: [{ stream: "yard" }] });
      const patch = { method: "PATCH", body: '{"status":"accepted"}', headers: { ...own, ...JSON_TYPE } };
      const statuses = async (path: string): Promise<number[]> => [
        (await ask(path, { headers: own })).status,
        (await ask(`${path}/picture.jpg`, { headers: own })).status,
        (await ask(path, patch)).status,
        (await ask(path, { method: "DELETE", headers: own })).status,
      ];
      expect(await statuses(paths[1]!)).toEqual([404, 404, 404, 404]);
      expect(await statuses(paths[0]!)).toEqual([200, 200, 200, 204]);
      expect(await jsonOf(await ask(paths[1]!, { headers: all }))).toMatchObject({ stream: "gate", status: "new" });
    });
    await store.close();
  });

  it("refuses boxes that do not lie in the picture, and labels that are none", async () => {
    await withApp({}, async ({ pipeline, ask }) => {
      pipeline.addStream("yard");
      pipeline.show("yard");
      const path = (await ask("/v1/streams/yard/captures", { method: "POST" })).headers.get("location")!;
      const patch = async (objects: unknown): Promise<Record<string, unknown>> => {
        const body = JSON.stringify({ objects });
        return await jsonOf(await ask(path, { method: "PATCH", headers: JSON_TYPE, body }));
      };
      expect(await patch([{ bbox: [300, 0, 40, 10], label: "dog" }])).toMatchObject({
        status: 400,
        code: "CAPTURE_INVALID",
        detail: "The box [300, 0, 40, 10] does not lie in the picture of 320 x 180 pixels.",
      });
      expect(await patch([{ bbox: [0, 0, 0, 10], label: "dog" }])).toMatchObject({ code: "CAPTURE_INVALID" });
      expect(await patch([{ bbox: [0, 0, 10, 10], label: " " }])).toMatchObject({ code: "BAD_REQUEST" });
      const nothing = await ask(path, { method: "PATCH", headers: JSON_TYPE, body: "{}" });
      expect(await jsonOf(nothing)).toMatchObject({ status: 400, code: "BAD_REQUEST" });
    });
  });
});
