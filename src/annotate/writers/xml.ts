// Text within XML.

/**
 * Escaped for contents and quoted attributes. Characters that XML 1.0 cannot hold become the replacement character, so that no name
 * gets empty or equal to another unnoticed; blanks at the ends are written as references, which readers do not trim.
 */
export function xmlText(text: string): string {
  return (
    text
      // oxlint-disable-next-line no-control-regex
      .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff\p{Surrogate}]/gu, "\ufffd")
      .replaceAll("&", "&amp;")
      .replaceAll("<", "&lt;")
      .replaceAll(">", "&gt;")
      .replaceAll('"', "&quot;")
      .replaceAll(/[\t\n\r]|^\s|\s$/g, (letter) => `&#${letter.charCodeAt(0)};`)
  );
}
