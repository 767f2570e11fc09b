// The prose is held to the code: every setting, flag, message, field and path that it names, or should name.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { Config } from "../src/config.ts";
import { loadConfig } from "../src/load-config.ts";
import { ClientMessage, NewStream, ServerMessage } from "../src/server/protocol.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const read = (file: string): string => readFileSync(join(root, file), "utf8");

test("every version of multibox that a document names is that of package.json", () => {
  const { version } = JSON.parse(read("package.json")) as { version: string };
  const files = ["README.md", "docker-compose.yml", "docs/annotate.md", "docs/websocket.md"];
  const named = files.flatMap((file) =>
    [...read(file).matchAll(/multibox"?,?(?: "version")?[": ]+(\d+\.\d+\.\d+)/g)].map(
      ([, found]) => `${file}: ${found}`,
    ),
  );
  expect(new Set(named)).toEqual(new Set(files.map((file) => `${file}: ${version}`)));
});

describe("multibox.example.yaml", () => {
  test("as it stands it says the defaults", async () => {
    expect(await loadConfig({ file: join(root, "multibox.example.yaml") })).toEqual(Config.parse({}));
  });

  test("with its examples taken in, it has every setting, and all of them are valid", async () => {
    const folder = mkdtempSync(join(tmpdir(), "multibox-docs-"));
    try {
      const file = join(folder, "all.yaml");
      writeFileSync(file, withExamples(read("multibox.example.yaml")));
      const config = await loadConfig({ file });
      expect(Object.keys(config).toSorted()).toEqual(Object.keys(Config.shape).toSorted());
      expect(config.streams.map(({ id }) => id)).toEqual(["door", "yard", "archive"]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test("every setting has a sentence above it", () => {
    const lines = read("multibox.example.yaml").split("\n");
    const bare = Object.keys(Config.shape).filter((name) => {
      const at = lines.findIndex((line) => new RegExp(`^#?${name}:`).test(line));
      return !/^# .*[.\]]$/.test(lines[at - 1] ?? "");
    });
    expect(bare).toEqual([]);
  });
});

describe("multibox serve --help", () => {
  const help = execFileSync(process.execPath, ["--import", "tsx", "src/cli.ts", "serve", "--help"], { cwd: root });
  const flags = new Set([...help.toString().matchAll(/^ {2}(?:-\w, )?--([a-z-]+)/gm)].map(([, flag]) => flag!));

  test("every setting is a flag, but streams, which are --stream", () => {
    const missing = Object.keys(Config.shape).filter((name) => !flags.has(kebab(name)));
    expect(missing).toEqual(["streams"]);
  });

  test("every flag that is no setting is explained in multibox.example.yaml", () => {
    const settings = new Set(Object.keys(Config.shape).map(kebab));
    const others = [...flags].filter((flag) => !settings.has(flag) && flag !== "help");
    expect(others).toContain("config");
    expect(others.filter((flag) => !read("multibox.example.yaml").includes(`--${flag} `))).toEqual([]);
  });
});

describe("docs/websocket.md", () => {
  const text = read("docs/websocket.md");
  const messages = [...ClientMessage.options, ...ServerMessage.options];

  test.each(messages.map((message) => [message.shape.type.value, message] as const))(
    "`%s` has a section that names its fields",
    (type, message) => {
      const section = text.split(/^(?=##+ )/m).find((part) => part.startsWith(`### \`${type}\`\n`));
      expect(section).toBeDefined();
      expect(Object.keys(message.shape).filter((field) => !section!.includes(`\`${field}\``))).toEqual([]);
    },
  );

  test("every field and every fixed value of every message is named, however deep it lies", () => {
    const names = new Set(messages.flatMap(namesIn));
    expect(names.size).toBeGreaterThan(40);
    expect([...names].filter((name) => !text.includes(`\`${name}\``) && !text.includes(`\`"${name}"\``))).toEqual([]);
  });

  test("every example in it is a valid message, and every type of message has one", () => {
    const examples = [...text.matchAll(/^```json\n(.*?)^```$/gms)].map(([, json]) => JSON.parse(json!) as unknown);
    const valid = examples.map((example) => z.union([ClientMessage, ServerMessage]).parse(example));
    const types = new Set<string>(valid.map(({ type }) => type));
    expect([...types].toSorted()).toEqual(messages.map((message) => message.shape.type.value).toSorted());
  });
});

test("docs/streams.md names every setting of a stream", () => {
  const rows = [...read("docs/streams.md").matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name!);
  expect(rows.toSorted()).toEqual(Object.keys(NewStream.shape).toSorted());
});

describe.each([
  "CONTRIBUTING.md",
  "README.md",
  "ARCHITECTURE.md",
  "docs/docker.md",
  "docs/evaluate.md",
  "docs/jobs.md",
  "docs/streams.md",
  "docs/operations.md",
  "docs/websocket.md",
])("%s", (page) => {
  test.skipIf(!existsSync(join(root, page)))(
    "every file that it names is there, and every link leads somewhere",
    () => {
      const text = read(page).replaceAll(/^```.*?^```$/gms, "");
      const named = [...text.matchAll(/`([^`\s]+)`/g)].map(([, code]) => code!).filter(isPath);
      const linked = [...text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(([, link]) => join(page, "..", link!));
      expect([...named, ...linked].filter((path) => !isThere(path))).toEqual([]);
    },
  );
});

test("CONTRIBUTING.md names enough files for the check above to be one", () => {
  expect(
    [...read("CONTRIBUTING.md").matchAll(/`([^`\s]+)`/g)].filter(([, code]) => isPath(code!)).length,
  ).toBeGreaterThan(15);
});

/** What looks like a file of the repository: it begins with one of its folders, or ends as its files do. */
function isPath(code: string): boolean {
  return (
    /^(\.ci|src|test|docs|bench|examples|docker)\//.test(code) ||
    /^[\w.-]+(\/[\w.-]+)+\.(ts|md|json|ya?ml|mjs|py)$/.test(code)
  );
}

/** Pages may leave out the room: `engines/open.ts` is in `src/model/`. */
function isThere(path: string): boolean {
  return ["", "src", "src/model", "src/pipeline", "src/server", "src/training"].some((room) =>
    existsSync(join(root, room, path)),
  );
}

/** `#key:` and what is indented below it become settings; a comment has a space and then a word. */
function withExamples(yaml: string): string {
  return yaml.replaceAll(/^#(?=\w|  )/gm, "");
}

function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** The names of all fields within a schema, and the texts that a field may only be one of. */
function namesIn(schema: z.core.$ZodType): string[] {
  if (schema instanceof z.ZodObject) {
    return Object.entries(schema.shape).flatMap(([name, field]) => [name, ...namesIn(field as z.ZodType)]);
  }
  if (schema instanceof z.ZodArray) return namesIn(schema.element);
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) return namesIn(schema.unwrap());
  if (schema instanceof z.ZodUnion) return schema.options.flatMap(namesIn);
  if (schema instanceof z.ZodEnum) return schema.options.map(String);
  if (schema instanceof z.ZodLiteral) return [...schema.values].map(String);
  return [];
}
