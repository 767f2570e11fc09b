// Text within XML.

/** Escaped for contents and quoted attributes; letters that XML 1.0 cannot hold are left out. */
export function xmlText(text: string): string {
  return (
    text
      // oxlint-disable-next-line no-control-regex
      .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "")
      .replaceAll("&", "&amp;")
      .replaceAll("<", "&lt;")
      .replaceAll(">", "&gt;")
      .replaceAll('"', "&quot;")
      .replaceAll(/[\t\n\r]/g, (letter) => `&#${letter.charCodeAt(0)};`)
  );
}
