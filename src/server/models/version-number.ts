// Numbers of trained versions, which must not be what another model of the same name calls itself.
import type { SsdSpec } from "../../model/spec.ts";
import { ZOO } from "../../model/zoo.ts";

type Named = Pick<SsdSpec, "name" | "version">;

/** What a model that was trained from `parent`, and is no version in a data folder, calls itself under this name. */
export function named(name: string, parent: Named): Named {
  return { name, version: String(parent.name === name ? numberOf(parent) + 1 : 1) };
}

/** The least number that a version of this name may have, where the model to become it calls itself `own` so far. */
export function leastNumber(name: string, own: Named): number {
  const fetched = ZOO.find(({ spec }) => spec.name === name)?.spec;
  return Math.max(1, fetched ? numberOf(fetched) + 1 : 0, own.name === name ? numberOf(own) : 0);
}

/** 2 of `2` and `2.1`; 0 of what is none. */
function numberOf({ version }: Named): number {
  return Number(/^\d{1,9}(?!\d)/.exec(version)?.[0] ?? 0);
}
