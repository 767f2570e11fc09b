// The file of settings: what it holds, and on which line each thing stands.
import { open } from "node:fs/promises";
import { type Document, isAlias, isMap, isNode, isScalar, LineCounter, type Node, parseDocument } from "yaml";
import { MultiboxError, sentenceOf, systemCode } from "./errors.ts";

export interface ConfigFile {
  readonly settings: Readonly<Record<string, unknown>>;
  /** The line, from 1 on, of a value or, where there is none, of what it would be in; `key` is one within it. */
  lineOf(path: readonly PropertyKey[], key?: string): number;
}

/** A thousand streams have a few hundred KiB. YAML takes some 200 ns a byte to parse, in the main thread. */
const MAX_BYTES = 1_048_576;

/** Fails with CONFIG_UNREADABLE where the file is not there, too large, or no YAML. */
export async function readConfigFile(file: string): Promise<ConfigFile> {
  const text = await readText(file).catch((cause: unknown) => {
    if (cause instanceof MultiboxError) throw cause;
    throw unreadable(file, systemCode(cause) === "ENOENT" ? "it does not exist" : sentenceOf(cause), cause);
  });
  const lines = new LineCounter();
  const { document, settings } = toSettings(text, lines, file);
  return {
    settings,
    lineOf: (path, key) => lines.linePos(offsetOf(document, path, key)).line,
  };
}

/** No more of it than that, whatever its size is said to be: a pipe has none. */
async function readText(file: string): Promise<string> {
  const handle = await open(file);
  try {
    const bytes = Buffer.alloc(MAX_BYTES + 1);
    let size = 0;
    for (;;) {
      const { bytesRead } = await handle.read(bytes, size, bytes.length - size);
      size += bytesRead;
      if (size > MAX_BYTES) throw unreadable(file, `it has more than ${MAX_BYTES / 1_048_576} MiB`);
      if (bytesRead === 0) return bytes.toString("utf8", 0, size);
    }
  } finally {
    await handle.close();
  }
}

function toSettings(
  text: string,
  lineCounter: LineCounter,
  file: string,
): { document: Document; settings: Record<string, unknown> } {
  let document: Document;
  let settings: unknown;
  try {
    document = parseDocument(text, { lineCounter });
    if (document.errors[0]) throw document.errors[0];
    settings = document.toJS();
  } catch (cause) {
    if (cause instanceof RangeError) throw unreadable(file, "it is nested too deeply", cause);
    // The first line says what and where; the others quote the file, passwords and all, and so may what follows a colon.
    const [first] = sentenceOf(cause).split(/:?\n/, 1) as [string];
    throw unreadable(file, first.replace(/: .*?(?= at line \d+, column \d+$|$)/, ""), cause);
  }
  if (settings === null) return { document, settings: {} };
  if (typeof settings !== "object" || Array.isArray(settings)) throw unreadable(file, "it is no list of `name: value`");
  return { document, settings: settings as Record<string, unknown> };
}

function offsetOf(document: Document, path: readonly PropertyKey[], key: string | undefined): number {
  let node: unknown = document.contents;
  let offset = rangeOf(node);
  for (const step of path) {
    const inside = isAlias(node) ? node.resolve(document) : node;
    const next: unknown =
      isNode(inside) && "get" in inside
        ? (inside as { get(key: unknown, keep: true): unknown }).get(step, true)
        : undefined;
    // A setting with an empty value stands where its name does.
    offset = rangeOf(next) ?? keyOffset(inside, String(step)) ?? offset;
    if (next === undefined) break;
    node = next;
  }
  return (key === undefined ? undefined : keyOffset(isAlias(node) ? node.resolve(document) : node, key)) ?? offset ?? 0;
}

const rangeOf = (node: unknown): number | undefined => (isNode(node) ? (node as Node).range?.[0] : undefined);

function keyOffset(node: unknown, key: string): number | undefined {
  if (!isMap(node)) return undefined;
  return rangeOf(node.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === key)?.key);
}

function unreadable(file: string, why: string, cause?: unknown): MultiboxError {
  const sentence = `The settings in ${file} cannot be read: ${why}.`;
  return new MultiboxError("CONFIG_UNREADABLE", sentence, "It must be YAML; see multibox.example.yaml.", { cause });
}
