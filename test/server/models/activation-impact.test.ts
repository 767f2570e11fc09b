// A version without some labels: what activating it would cost is known before, and streams that wait for them are not silently green.
import { expect, test } from "vitest";
import { randomBundle } from "../../model/support/random-bundle.ts";
import { smallSpec } from "../../model/support/small-spec.ts";
import { jsonOf, withApp } from "../../support/test-server.ts";

const FACTS = {
  created: "2026-01-01T12:00:00.000Z",
  parent: "red-finder",
  metrics: { AP: 0.4 },
  offered: true,
  data: { hash: "0", pictures: 1 },
  settings: {},
};

test("lists lost labels and the streams whose settings name them, and says so when it is done", async () => {
  await withApp({}, async ({ pipeline, ask, versions }) => {
    const post = (path: string): Promise<Response> =>
      ask(path, { method: "POST", headers: { "content-type": "application/json" }, body: "{}" });
    // cat, dog, cow, car, bus; then cat and van.
    await versions.add("red-finder", randomBundle(smallSpec()), FACTS);
    await versions.add("red-finder", randomBundle({ ...smallSpec(), labels: [null, "cat", "van"] }), FACTS);
    await versions.use("red-finder", 1);
    const file = { url: "/videos/a.mp4", loop: true, transport: "tcp" } as const;
    pipeline.add({ id: "all", ...file });
    pipeline.add({ id: "dogs", ...file, labels: ["dog"] });
    pipeline.add({ id: "pets", ...file, labels: ["dog", "cat"], limits: { cow: {} }, capture: { labels: ["bus"] } });
    pipeline.add({ id: "other", ...file, labels: ["dog"], model: "another" });
    pipeline.add({ id: "own", ...file, labels: ["dog"], model: "red-finder" });

    const impact = await jsonOf(await ask("/v1/models/red-finder/versions/2/impact"));
    expect(impact).toMatchObject({
      lost: ["dog", "cow", "car", "bus"],
      added: ["van"],
      streams: [
        { id: "dogs", labels: ["dog"], blind: true },
        { id: "pets", labels: ["dog", "cow", "bus"], blind: false },
        { id: "own", labels: ["dog"], blind: true },
      ],
    });
    expect(await jsonOf(await ask("/v1/models/red-finder/versions/1/impact"))).toEqual({
      lost: [],
      added: [],
      streams: [],
    });
    expect((await ask("/v1/models/red-finder/versions/9/impact")).status).toBe(404);

    expect(await jsonOf(await post("/v1/models/red-finder/versions/2/activate"))).toMatchObject({
      version: 2,
      previous: 1,
      warnings: expect.arrayContaining([
        "4 labels are not detected any more: dog, cow, car, bus.",
        'Stream "dogs": Nothing is reported: the model has none of the labels of the filter, "dog".',
      ]) as unknown,
    });
    expect(await jsonOf(await post("/v1/models/red-finder/rollback"))).toMatchObject({
      version: 1,
      warnings: ["1 label is not detected any more: van."],
    });
  });
});

test("a stream whose filter names no label of its model has a warning while it runs", async () => {
  await withApp({}, async ({ pipeline, ask }) => {
    pipeline.add({ id: "sky", url: "/videos/a.mp4", loop: true, transport: "tcp", labels: ["airplane"] });
    pipeline.setStatus("sky", { state: "live" });
    expect(await jsonOf(await ask("/v1/streams/sky"))).not.toHaveProperty("warnings");
    pipeline.labels = ["person", "airplane"];
    expect(await jsonOf(await ask("/v1/streams/sky"))).not.toHaveProperty("warnings");
    pipeline.labels = ["person"];
    const warning = { code: "LABEL_UNKNOWN", message: expect.stringContaining('"airplane"') as string };
    expect(await jsonOf(await ask("/v1/streams/sky"))).toMatchObject({ state: "live", warnings: [warning] });
  });
});
