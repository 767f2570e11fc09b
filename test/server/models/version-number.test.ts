import { expect, test } from "vitest";
import { ZOO } from "../../../src/model/zoo.ts";
import { leastNumber, named } from "../../../src/server/models/version-number.ts";

test.each(ZOO.map(({ spec }) => spec))("what is trained is counted on from version $version of $name", (spec) => {
  const least = leastNumber(spec.name, { name: "other", version: "9" });
  expect(least).toBe(Math.floor(Number(spec.version)) + 1);
  expect(named(spec.name, spec)).toEqual({ name: spec.name, version: `${least}` });
  expect(leastNumber(spec.name, named(spec.name, spec))).toBe(least);
});

test("a name of its own begins with 1, and goes on from a parent of that name", () => {
  const [other, yard] = [
    { name: "other", version: "5" },
    { name: "yard", version: "3" },
  ];
  expect(named("yard", other)).toEqual({ name: "yard", version: "1" });
  expect(named("yard", yard)).toEqual({ name: "yard", version: "4" });
  expect([leastNumber("yard", other), leastNumber("yard", named("yard", yard))]).toEqual([1, 4]);
  expect(["2.1", "beta", ""].map((version) => leastNumber("yard", { name: "yard", version }))).toEqual([2, 1, 1]);
});
