// fp32 or int8: as asked for, where the network can, and by itself only where the CPU is made for it.
import { describe, expect, test } from "vitest";
import { observedNodes } from "../../../src/model/compile/int8-plan.ts";
import type { Network } from "../../../src/model/engines/engine.ts";
import { buildSsd } from "../../../src/model/networks/ssd.ts";
import { SSDLITE_MOBILENET_V2 } from "../../../src/model/specs.ts";
import { choosePrecision, hasIntegerDotProducts } from "../../../src/model/engines/precision.ts";

const graph = buildSsd(SSDLITE_MOBILENET_V2);
const plain: Network = { graph, weights: new Map() };
const ranges = new Map(observedNodes(graph).map((name) => [name, [0, 1] as const]));
const observed: Network = { ...plain, ranges };
const partly: Network = { ...plain, ranges: new Map([...ranges].slice(1)) };
const fast = (): boolean => true;
const slow = (): boolean => false;

describe("the precision", () => {
  test("is fp32 where nobody asks", () => expect(choosePrecision(observed, undefined, fast)).toBe("fp32"));
  test("is as asked for on any CPU", () => {
    expect(choosePrecision(observed, "int8", slow)).toBe("int8");
    expect(choosePrecision(observed, "fp32", fast)).toBe("fp32");
  });
  test.each([
    ["int8", "observed, on a CPU made for it", observed, fast],
    ["fp32", "observed, on any other CPU", observed, slow],
    ["fp32", "never observed", plain, fast],
    ["fp32", "observed for another plan", partly, fast],
  ] as const)("auto is %s for a network that was %s", (chosen, _, network, cpu) => {
    expect(choosePrecision(network, "auto", cpu)).toBe(chosen);
  });
  test("int8 of a network that was never observed is a sentence that says what to run", () => {
    expect(() => choosePrecision(plain, "int8", fast)).toThrow(
      expect.objectContaining({
        code: "PRECISION_UNAVAILABLE",
        message: expect.stringContaining("ssdlite-mobilenet-v2") as unknown,
        hint: expect.stringContaining("multibox quantize") as unknown,
      }),
    );
  });
});

describe("a CPU made for int8 is told by its flags", () => {
  test.each([
    ["Zen 4", "flags\t\t: fpu avx2 avx512f avx512_vnni\n", true],
    ["Alder Lake", "model name\t: x\nflags\t\t: fpu avx2 avx_vnni ibs\n", true],
    ["Haswell", "flags\t\t: fpu avx2 fma\n", false],
    ["Skylake-X, which only names it", "model name\t: avx512_vnni\nflags\t\t: fpu avx2 avx512f\n", false],
    ["Neoverse N1", "Features\t: fp asimd asimddp\n", true],
    ["Cortex-A72", "Features\t: fp asimd crc32\n", false],
    ["nothing that says so", "", false],
  ])("%s: %j is %s", (_, cpuInfo, expected) => {
    expect(hasIntegerDotProducts("linux", () => cpuInfo)).toBe(expected);
  });
});
