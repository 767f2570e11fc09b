// What `auto` keeps is what answered soonest, and what it does not keep is closed.
import { describe, expect, test } from "vitest";
import { MultiboxError } from "../../../src/errors.ts";
import type { Engine, Network } from "../../../src/model/engines/engine.ts";
import { type Candidate, openFastest } from "../../../src/model/engines/fastest.ts";
import { buildSsd } from "../../../src/model/networks/ssd.ts";
import { smallSpec } from "../support/small-spec.ts";

const NETWORK: Network = { graph: buildSsd(smallSpec()), weights: new Map() };
const PICTURE_BYTES = 96 * 96 * 3;

/** A clock that only engines move, and what they were asked to do. */
function machine(): {
  now: () => number;
  runs: string[];
  open: Set<string>;
  candidate: (name: string, milliseconds: (n: number) => number, first?: number) => Candidate<string>;
} {
  let time = 0;
  const runs: string[] = [];
  const open = new Set<string>();
  const candidate = (name: string, milliseconds: (n: number) => number, first = 0): Candidate<string> => ({
    name,
    open: async (): Promise<Engine> => {
      open.add(name);
      let isFirst = true;
      return {
        description: name,
        run: async (batch, n) => {
          expect(batch).toHaveLength(n * PICTURE_BYTES);
          runs.push(`${name} ${n}`);
          time += milliseconds(n) + (isFirst ? first : 0);
          isFirst = false;
          return { offsets: new Float32Array(0), logits: new Float32Array(0) };
        },
        close: async () => void open.delete(name),
      };
    },
  });
  return { now: () => time, runs, open, candidate };
}

const missing = (name: string, sentence: string): Candidate<string> => ({
  name,
  open: () => Promise.reject(new MultiboxError("ENGINE_MISSING", sentence)),
});

describe("of engines that open", () => {
  test("the one whose batch is answered soonest is kept, the others are closed, and the reason has the times", async () => {
    const { now, open, candidate } = machine();
    const cpu = candidate("onnx:cpu", (n) => 9.4 * n);
    const gpu = candidate("onnx:webgpu", (n) => 10 + 4 * n, 3000);
    const choice = await openFastest([cpu, gpu], NETWORK, now);
    expect(choice).toMatchObject({
      name: "onnx:webgpu",
      reason: "it answered 8 pictures in 42 ms, onnx:cpu in 75 ms",
    });
    expect([...open]).toEqual(["onnx:webgpu"]);
    expect(choice.engine.description).toBe("onnx:webgpu");
  });

  test("a single one is taken without a run", async () => {
    const { now, runs, candidate } = machine();
    const gpu = missing("onnx:webgpu", "WebGPU finds no GPU that it can use.");
    const choice = await openFastest([candidate("onnx:cpu", () => 1), gpu], NETWORK, now);
    const reason = "it alone opens; onnx:webgpu does not run: WebGPU finds no GPU that it can use";
    expect(choice).toMatchObject({ name: "onnx:cpu", reason });
    expect(runs).toEqual([]);
  });

  test("one that takes longer for a picture than another for a batch is asked for no batch", async () => {
    const { now, runs, open, candidate } = machine();
    const software = candidate("onnx:webgpu", (n) => 6000 * n);
    const choice = await openFastest([software, candidate("onnx:cpu", (n) => 9 * n)], NETWORK, now);
    const reason = "it answered 8 pictures in 72 ms, onnx:webgpu one in 6000 ms";
    expect(choice).toMatchObject({ name: "onnx:cpu", reason });
    expect(runs.filter((run) => run.startsWith("onnx:webgpu"))).toEqual(["onnx:webgpu 1", "onnx:webgpu 1"]);
    expect([...open]).toEqual(["onnx:cpu"]);
  });

  test("one that fails when it runs is closed, and the reason says so", async () => {
    const { now, open, candidate } = machine();
    const broken = candidate("onnx:cuda", () => {
      throw new Error("out of memory");
    });
    const choice = await openFastest([candidate("onnx:cpu", (n) => n), broken], NETWORK, now);
    const reason = "it answered 8 pictures in 8.0 ms; onnx:cuda does not run: out of memory";
    expect(choice).toMatchObject({ name: "onnx:cpu", reason });
    expect([...open]).toEqual(["onnx:cpu"]);
  });

  test("one that has memory for a picture and none for a batch is closed, and another is kept", async () => {
    const { now, open, candidate } = machine();
    const small = candidate("onnx:webgpu", (n) => {
      if (n > 1) throw new Error("out of memory");
      return 1;
    });
    const choice = await openFastest([small, candidate("onnx:cpu", (n) => 9 * n)], NETWORK, now);
    const reason = "it answered 8 pictures in 72 ms; onnx:webgpu does not run: out of memory";
    expect(choice).toMatchObject({ name: "onnx:cpu", reason });
    expect([...open]).toEqual(["onnx:cpu"]);
  });
});

test("where none opens, the first one says why", async () => {
  const candidates = [missing("onnx:cpu", "There is no binary."), missing("onnx:webgpu", "There is no GPU.")];
  await expect(openFastest(candidates, NETWORK)).rejects.toThrow("There is no binary.");
});
