// Labels that formats have a meaning for, and what is left of them where a format cannot hold all characters.

/** YAML 1.1 reads the first ones as booleans, numbers, times, nothing; then blanks, marks, line ends, all kinds of characters. */
export const NASTY_LABELS: readonly string[] = [
  ..."no yes on off y n true False NULL null ~ 12:30 1_000 1e3 0x1f 0o7 012 .inf -.NaN 3 2026-11-30 = <<".split(" "),
  ...["- a", "? b", "! c", "& d", "* e", "% f", "@ g", "` h", "| i", "> j", "[k]", "{l}", "m: n", "o #p", "#q", "r,s"],
  ...[" leading", "trailing ", "  both  ", "it's", 'say "so"', "back\\slash", "\\N\\n", "tab\there"],
  ...["line\nend", "line\r\nend", "next\u0085line", "line\u2028separator", "paragraph\u2029separator", "\ufeffmark"],
  ...[
    "人",
    "自動車",
    "Fußgänger",
    "cafe\u0301",
    "🚗",
    "שלום",
    "a --> b",
    "<i>x</i>",
    "{\\an8}up",
    "]]>",
    "&amp;",
    "&#65;",
  ],
  ...["constructor", "__proto__", "toString", "=HYPER", "nul\u0000", "bell\u0007", "\u009f"],
];

/** What XML 1.0 can hold: other characters are replaced. */
export function inXml(label: string): string {
  // oxlint-disable-next-line no-control-regex
  return label.replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "\ufffd");
}
