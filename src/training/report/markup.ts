// Text as part of HTML and SVG.

/** Whatever the text holds, it stays text, also within double quotes. */
export function escapeMarkup(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
