// Fills the settings in: a file, the environment and flags, in that order, each checked against its schema.
import { readFile } from "node:fs/promises";
import { parse } from "yaml";
import { z } from "zod";
import { Config } from "./config.ts";
import { MultiboxError, sentenceOf, systemCode } from "./errors.ts";
import { show } from "./server/explain.ts";

/** Where settings may come from, the strongest last. Keys are those of `Config`. */
export interface ConfigSources {
  /** A YAML file; it must exist. */
  readonly file?: string | undefined;
  /** `MULTIBOX_MAX_BATCH` is `maxBatch`; lists and streams are not taken from here. */
  readonly env?: NodeJS.ProcessEnv;
  readonly flags?: Readonly<Record<string, unknown>>;
}

/** All settings, checked. Fails with CONFIG_UNREADABLE or CONFIG_INVALID, which names the setting and its value. */
export async function loadConfig({ file, env = {}, flags = {} }: ConfigSources): Promise<Config> {
  const settings = {
    ...(file === undefined ? {} : await readSettings(file)),
    ...fromEnv(env),
    ...withoutUndefined(flags),
  };
  // As a number it would be 0.
  const empty = Object.entries(settings).find(([, value]) => value === "");
  if (empty) throw invalid(`The setting ${empty[0]} is empty.`);
  const parsed = Config.safeParse(settings);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  const name = issue.path.join(".");
  if (issue.code === "unrecognized_keys")
    throw invalid(`There is no setting "${issue.keys[0]}"${name ? ` in ${name}` : ""}.`);
  throw invalid(`The setting ${name}${shown(name, valueAt(settings, issue.path))}: ${issue.message}.`);
}

function invalid(sentence: string): MultiboxError {
  return new MultiboxError(
    "CONFIG_INVALID",
    sentence,
    "`multibox serve --help` and multibox.example.yaml list all settings.",
  );
}

/** ` is "x"`, but nothing of what is secret, or has parts that may be. */
function shown(name: string, value: unknown): string {
  if (value === undefined) return " is missing";
  return name === "token" || typeof value === "object" ? "" : ` is ${show(value)}`;
}

async function readSettings(file: string): Promise<Record<string, unknown>> {
  let settings: unknown;
  try {
    settings = parse(await readFile(file, "utf8"));
  } catch (cause) {
    // The first line says what and where; the others quote the file, passwords and all.
    const why = systemCode(cause) === "ENOENT" ? "it does not exist" : sentenceOf(cause).split(/:?\n/, 1)[0]!;
    throw unreadable(file, why, cause);
  }
  if (settings === null) return {};
  if (typeof settings !== "object" || Array.isArray(settings)) throw unreadable(file, "it is no list of `name: value`");
  return settings as Record<string, unknown>;
}

function unreadable(file: string, why: string, cause?: unknown): MultiboxError {
  const sentence = `The settings in ${file} cannot be read: ${why}.`;
  return new MultiboxError("CONFIG_UNREADABLE", sentence, "It must be YAML; see multibox.example.yaml.", { cause });
}

function fromEnv(env: NodeJS.ProcessEnv): Record<string, string> {
  const names = Object.entries(Config.shape).filter(([, schema]) => !isList(schema));
  const found = names.map(([name]) => [name, env[`MULTIBOX_${name.replaceAll(/[A-Z]/g, "_$&").toUpperCase()}`]]);
  // Compose files pass on variables that are not set as empty ones.
  return withoutUndefined(Object.fromEntries(found.filter(([, value]) => value !== "")) as Record<string, string>);
}

const isList = (schema: z.ZodType): boolean => schema instanceof z.ZodDefault && schema.unwrap() instanceof z.ZodArray;

function withoutUndefined<T>(record: Readonly<Record<string, T | undefined>>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).filter((entry): entry is [string, T] => entry[1] !== undefined));
}

function valueAt(settings: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key], settings);
}
