// Files that a system keeps beside a user's own: macOS's `._NAME`, `.DS_Store` and `__MACOSX`, and everything else with a leading dot.

/** Whether a file or folder of this name is left out of a folder's contents. A file that is named itself is not asked about. */
export function isHidden(name: string): boolean {
  return name.startsWith(".") || name === "__MACOSX";
}
