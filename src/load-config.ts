// Fills the settings in: a file, the environment and flags, in that order, each checked against its schema.
import { z } from "zod";
import { Config } from "./config.ts";
import { readConfigFile } from "./config-file.ts";
import { MultiboxError } from "./errors.ts";
import { redactUrl } from "./redact.ts";
import { show } from "./server/api/explain.ts";

/** Where settings may come from, the strongest last. Keys are those of `Config`. */
export interface ConfigSources {
  /** A YAML file; it must exist. */
  readonly file?: string | undefined;
  /** `MULTIBOX_MAX_BATCH` is `maxBatch`; lists and streams are not taken from here. */
  readonly env?: NodeJS.ProcessEnv;
  readonly flags?: Readonly<Record<string, unknown>>;
}

/** All settings, checked. Fails with CONFIG_UNREADABLE or CONFIG_INVALID, which names the setting, its value and its line. */
export async function loadConfig({ file, env = {}, flags = {} }: ConfigSources): Promise<Config> {
  const inFile = file === undefined ? undefined : await readConfigFile(file);
  const over = { ...fromEnv(env), ...withoutUndefined(flags) };
  const settings: Record<string, unknown> = { ...inFile?.settings, ...over };
  /** `multibox.yaml:7: ` for what the file says. */
  const at = (path: readonly PropertyKey[], key?: string): string =>
    !inFile || String(path[0] ?? key) in over ? "" : `${file}:${inFile.lineOf(path, key)}: `;
  // As a number it would be 0.
  const empty = Object.entries(settings).find(([, value]) => value === "" || value === null);
  if (empty) throw invalid(`${at([], empty[0])}The setting ${redactUrl(empty[0])} is empty.`);
  const parsed = Config.safeParse(settings);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  const name = redactUrl(issue.path.join("."));
  if (issue.code === "unrecognized_keys") {
    const key = issue.keys[0]!;
    throw invalid(`${at(issue.path, key)}There is no setting "${redactUrl(key)}"${name ? ` in ${name}` : ""}.`);
  }
  throw invalid(`${at(issue.path)}The setting ${name}${shown(name, valueAt(settings, issue.path))}: ${issue.message}.`);
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
