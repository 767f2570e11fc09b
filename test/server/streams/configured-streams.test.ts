// The streams of the settings are made to match them, and nobody else's are touched.
import { expect, test } from "vitest";
import type { StreamConfig } from "../../../src/pipeline/stream.ts";
import { ConfiguredStreams } from "../../../src/server/streams/configured-streams.ts";
import { StreamChanges } from "../../../src/server/streams/stream-changes.ts";
import { ScriptedPipeline } from "../../support/scripted-pipeline.ts";

const stream = (id: string, more: Partial<StreamConfig> = {}): StreamConfig => ({
  id,
  url: `rtsp://u:p@ss@h/${id}`,
  loop: true,
  transport: "tcp",
  ...more,
});

test("what is new is added, what differs is changed, what is gone is removed, and the rest runs on", async () => {
  const pipeline = new ScriptedPipeline();
  const configured = new ConfiguredStreams(new StreamChanges({ pipeline }));
  pipeline.add(stream("api"));
  const first = await configured.match([stream("a", { maxFps: 5, priority: 2 }), stream("b"), stream("c")]);
  expect(first).toEqual({ added: ["a", "b", "c"], changed: [], removed: [] });
  const configs: string[] = [];
  pipeline.configs.subscribe(({ id }) => configs.push(id));
  const second = await configured.match([stream("a", { priority: 3, labels: ["car"] }), stream("b"), stream("d")]);
  expect(second).toEqual({ added: ["d"], changed: ["a"], removed: ["c"] });
  expect(configs).toEqual(["a", "d"]);
  expect(pipeline.list().map(({ config }) => config)).toEqual([
    stream("api"),
    stream("a", { priority: 3, labels: ["car"] }),
    stream("b"),
    stream("d"),
  ]);
  expect(["a", "b", "c", "d", "api"].filter((id) => configured.has(id))).toEqual(["a", "b", "d"]);
});

test("what was done over the API to a stream of the settings is undone, and a name of the API's can be taken over", async () => {
  const pipeline = new ScriptedPipeline();
  const configured = new ConfiguredStreams(new StreamChanges({ pipeline }));
  await configured.match([stream("a"), stream("b")]);
  pipeline.pause("a");
  await pipeline.remove("b");
  pipeline.add(stream("c", { maxFps: 1 }));
  const again = [stream("a"), stream("b"), stream("c")];
  expect(await configured.match(again)).toEqual({ added: ["b"], changed: ["a", "c"], removed: [] });
  expect(pipeline.list().map(({ config }) => config)).toEqual([stream("a"), stream("c"), stream("b")]);
  await pipeline.remove("a");
  expect(await configured.match([])).toEqual({ added: [], changed: [], removed: ["b", "c"] });
});
