// A path within ffmpeg's language for filters, which has quotes of its own, twice.

/**
 * The path as an option's value within `-vf`: once escaped for the option, where `:` ends a value, and again for the graph, where
 * `,` and `;` end a filter (ffmpeg's documentation, "Notes on filtergraph escaping").
 */
export function filterPath(path: string): string {
  const forward = process.platform === "win32" ? path.replaceAll("\\", "/") : path;
  const option = forward.replaceAll(/[\\':]/g, (letter) => `\\${letter}`);
  return option.replaceAll(/[\\'[\],;]/g, (letter) => `\\${letter}`);
}
