// The newest frame of each stream is held, and only that one.
import { expect, test } from "vitest";
import { LatestFrames } from "../../../src/pipeline/sinks/latest.ts";
import { ScriptedPipeline } from "../../support/scripted-pipeline.ts";

test("holds one frame a stream, gives the older one back, and all of them when closed", () => {
  const pipeline = new ScriptedPipeline();
  const latest = new LatestFrames(pipeline);
  pipeline.addStream("a");
  pipeline.addStream("b");
  expect(latest.get("a")).toBeUndefined();
  for (let i = 0; i < 20; i++) pipeline.show("a");
  pipeline.show("b");
  expect([latest.get("a")?.seq, latest.get("b")?.seq, pipeline.pool.lent]).toEqual([19, 0, 2]);
  latest.close();
  latest.close();
  pipeline.show("a");
  expect([latest.get("a"), pipeline.pool.lent]).toEqual([undefined, 0]);
});

test("lets go of a removed stream's frame", async () => {
  const pipeline = new ScriptedPipeline();
  const latest = new LatestFrames(pipeline);
  pipeline.addStream("a");
  pipeline.show("a");
  await pipeline.remove("a");
  expect([latest.get("a"), pipeline.pool.lent]).toEqual([undefined, 0]);
  latest.close();
});
