// ONNX Runtime that is fetched is the one that the lock file pins.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ONNX_RUNTIME } from "../../../src/model/engines/onnx-runtime.ts";

const lock = JSON.parse(readFileSync(new URL("../../../package-lock.json", import.meta.url), "utf8")) as {
  packages: Record<string, { version: string; integrity: string }>;
};

test("the packages that are fetched at run time are those of the lock file", () => {
  const fetched = ONNX_RUNTIME.map(({ name, integrity }) => ({ name, integrity }));
  const locked = ["onnxruntime-node", "onnxruntime-common"].map((name) => {
    const { version, integrity } = lock.packages[`node_modules/${name}`]!;
    return { name: `${name}@${version}`, integrity };
  });
  expect(fetched).toEqual(locked);
});
