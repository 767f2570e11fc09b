// Whether a path lies in a folder.
import { sep } from "node:path";

/** By their text: both absolute, without `..`, and without links where these shall not count. A folder lies in itself. */
export function isUnder(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}
