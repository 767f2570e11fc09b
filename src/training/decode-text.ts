// The bytes of a text file -> its text: by the byte order mark, by an XML declaration, else as UTF-8. No byte is replaced silently.
import iconv from "iconv-lite";
import { systemCode } from "../errors.ts";

export type DecodedText = { readonly text: string } | { readonly problem: string };

/** UTF-8, or UTF-16 where a byte order mark is there, as PowerShell writes it. */
export function decodeText(bytes: Uint8Array): DecodedText {
  return decode(bytes, markedEncoding(bytes) ?? "utf-8");
}

/** By the byte order mark, else by what the declaration names (XML 1.0, appendix F). */
export function decodeXml(bytes: Uint8Array): DecodedText {
  const marked = markedEncoding(bytes) ?? unmarkedUtf16(bytes);
  if (marked !== undefined) return decode(bytes, marked);
  const head = Buffer.from(bytes.subarray(0, 1024)).toString("latin1");
  const declared = /^\s*<\?xml\s[^>]*?\bencoding\s*=\s*(?:"([^"]*)"|'([^']*)')/.exec(head);
  const name = declared?.[1] ?? declared?.[2] ?? "utf-8";
  // Bytes that spell out their declaration are not UTF-16, whatever it names: .NET writes such files.
  return decode(bytes, /^utf-?_?16/i.test(name.trim()) ? "utf-8" : name);
}

function decode(bytes: Uint8Array, encoding: string): DecodedText {
  const name = encoding.trim();
  if (/^utf-?_?(?:8|16[lb]e)$/i.test(name)) return decodeUnicode(bytes, name.replace(/^utf-?_?/i, "utf-"));
  if (!iconv.encodingExists(name)) return { problem: `its encoding ${JSON.stringify(name)} is unknown` };
  const text = iconv.decode(Buffer.from(bytes), name);
  return text.includes("\ufffd") ? wrongBytes(name) : { text };
}

function decodeUnicode(bytes: Uint8Array, label: string): DecodedText {
  try {
    return { text: new TextDecoder(label, { fatal: true }).decode(bytes) };
  } catch (error) {
    if (systemCode(error) === "ERR_ENCODING_INVALID_ENCODED_DATA") return wrongBytes(label);
    return { problem: `it is too large to be read, ${Math.ceil(bytes.length / 1e6)} MB` };
  }
}

function wrongBytes(encoding: string): DecodedText {
  return { problem: `it has bytes that are not ${encoding.toUpperCase()}` };
}

function markedEncoding(bytes: Uint8Array): string | undefined {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return "utf-8";
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return bytes[2] === 0 && bytes[3] === 0 ? "utf-32" : "utf-16le";
  return bytes[0] === 0xfe && bytes[1] === 0xff ? "utf-16be" : undefined;
}

/** `<?` or `<a` with a zero byte beside each letter. */
function unmarkedUtf16(bytes: Uint8Array): string | undefined {
  if (bytes[0] === 0x3c && bytes[1] === 0 && bytes[3] === 0) return "utf-16le";
  return bytes[0] === 0 && bytes[1] === 0x3c && bytes[2] === 0 ? "utf-16be" : undefined;
}
