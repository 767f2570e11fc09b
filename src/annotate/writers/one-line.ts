// Text for files in which a line is a record.

/** In one line: blanks of any kind become spaces, other control characters the replacement character, which readers show. */
export function oneLine(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replaceAll(/\s+/g, " ").replaceAll(/[\u0000-\u001f\u007f-\u009f\p{Surrogate}]/gu, "\ufffd");
}
