// The same failure is said once in a while, another one at once.
import { expect, test } from "vitest";
import { MultiboxError } from "../../src/errors.ts";
import { seldom } from "../../src/pipeline/seldom.ts";

test("a failure is said again only after a while, another one at once", () => {
  let time = 0;
  const said: string[] = [];
  const say = seldom(
    ({ code }) => said.push(`${time} ${code}`),
    100,
    () => time,
  );
  for (; time < 250; time += 10) say(new MultiboxError("ENGINE_FAILED", "no"));
  say(new MultiboxError("ENGINE_DIED", "no"));
  expect(said).toEqual(["0 ENGINE_FAILED", "100 ENGINE_FAILED", "200 ENGINE_FAILED", "250 ENGINE_DIED"]);
});
