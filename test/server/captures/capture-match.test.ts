// Two reviewers of one capture: the later save names the state that it replaces, and is refused where that is gone.
import { expect, test } from "vitest";
import { CaptureStore } from "../../../src/server/captures/capture-store.ts";
import { captureTag } from "../../../src/server/captures/capture-match.ts";
import { found } from "../../support/scripted-pipeline.ts";
import { jsonOf, withApp } from "../../support/test-server.ts";

const JSON_TYPE = { "content-type": "application/json" };

test("a change with If-Match is refused with 412 and the state of now where somebody else came first; one without is not checked", async () => {
  await withApp({}, async ({ pipeline, ask, captures }) => {
    pipeline.addStream("yard");
    pipeline.show("yard", [found("dog", 0.8)]);
    const kept = await ask("/v1/streams/yard/captures", { method: "POST" });
    const path = kept.headers.get("location")!;
    const { etag } = (await jsonOf(kept)) as { etag: string };
    const header = (await ask(path)).headers.get("etag")!;
    expect(header).toBe(`"${etag}"`);

    const patch = (label: string, match?: string): Promise<Response> =>
      ask(path, {
        method: "PATCH",
        headers: { ...JSON_TYPE, ...(match !== undefined && { "if-match": match }) },
        body: JSON.stringify({ objects: [{ bbox: [1, 2, 30, 40], label }] }),
      });
    // At the same moment: one of them is first.
    const answers = await Promise.all([patch("wolf", header), patch("fox", header)]);
    expect(answers.map(({ status }) => status)).toEqual([200, 412]);
    const [first, second] = await Promise.all(answers.map(jsonOf));
    expect(first).toMatchObject({ objects: [{ label: "wolf" }] });
    expect(second).toMatchObject({ code: "CAPTURE_CHANGED", status: 412, current: first });
    expect(answers[1].headers.get("content-type")).toBe("application/problem+json");
    expect(answers.map(({ headers }) => headers.get("etag"))).toEqual(Array(2).fill(`"${String(first!["etag"])}"`));
    expect(captures.list()[0]!.objects).toMatchObject([{ label: "wolf" }]);

    // The refusal's tag is the way on; so is any state, and so are clients that do not look.
    expect((await patch("fox", `"no", W/"${String(first!["etag"])}"`)).status).toBe(200);
    expect((await patch("hen", "*")).status).toBe(200);
    expect((await patch("cat")).status).toBe(200);
    expect((await patch("dog", "not a tag")).status).toBe(412);

    // The same after a restart, and for a deletion.
    const again = new CaptureStore(captures.folder, { maxCount: 9, maxBytes: 1e9 });
    await again.load((sentence) => expect.unreachable(sentence));
    const tag = captureTag(again.list()[0]!);
    expect((await ask(path)).headers.get("etag")).toBe(`"${tag}"`);
    const remove = (match: string): Promise<Response> =>
      ask(path, { method: "DELETE", headers: { "if-match": match } });
    expect((await remove(header)).status).toBe(412);
    expect((await remove(`"${tag}"`)).status).toBe(204);
    expect((await remove(`"${tag}"`)).status).toBe(404);
  });
});

test("the list has the labels of all captures that the caller sees, on each page", async () => {
  await withApp({}, async ({ pipeline, ask }) => {
    pipeline.addStream("yard");
    for (const label of ["dog", "cat"]) {
      pipeline.show("yard", [found(label, 0.8)]);
      await ask("/v1/streams/yard/captures", { method: "POST" });
    }
    expect(await jsonOf(await ask("/v1/captures?limit=1"))).toMatchObject({ labels: ["cat", "dog"], total: 2 });
    expect(await jsonOf(await ask("/v1/captures?status=accepted"))).toMatchObject({ labels: ["cat", "dog"], total: 0 });
  });
});
