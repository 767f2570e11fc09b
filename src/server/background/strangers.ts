// Folders of work that no record names: what was not received whole is removed, anything else may be somebody's results.
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Quarantine } from "../quarantine.ts";

/** A file in the folder of a work whose input is still being received. */
export const INCOMING = ".incoming";

/** `names`: of folders in `folder`. Without a quarantine those that are whole stay. */
export async function setAside(
  folder: string,
  names: readonly string[],
  quarantine: Pick<Quarantine, "take"> | undefined,
): Promise<void> {
  const places = names.map((name) => join(folder, name));
  const isHalf = (place: string): boolean => existsSync(join(place, INCOMING));
  const whole = places.filter((place) => !isHalf(place));
  for (const place of places.filter(isHalf)) await rm(place, { recursive: true, force: true });
  quarantine?.take(whole, "has no record in multibox.db");
}
