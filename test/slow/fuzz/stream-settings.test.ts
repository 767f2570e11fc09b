// 5,000 settings of streams, most of them wrong, over the API and from a file: each is taken or refused by name, and the server always starts.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stringify } from "yaml";
import { loadConfig } from "../../../src/load-config.ts";
import { MultiboxError } from "../../../src/errors.ts";
import { makeFolder } from "../../support/ffmpeg.ts";
import { type Multibox, runMultibox, startMultibox } from "../../support/multibox.ts";
import { FIELD_NAMES, fuzzStreamSettings, type Settings } from "./stream-settings.ts";

const COUNT = 5000;
const BATCH = 100;
const SEED = Number(process.env["FUZZ_SEED"] ?? 20_261_130);

const ALL = fuzzStreamSettings(COUNT, SEED);

let folder: Awaited<ReturnType<typeof makeFolder>>;
beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => folder?.remove());

test("each field is in at least 200 of the settings", () => {
  console.log(`FUZZ_SEED=${SEED}`);
  const rare = FIELD_NAMES.filter((name) => ALL.filter((one) => Object.hasOwn(one, name)).length < 200);
  expect(rare).toEqual([]);
});

test("over the API each is accepted, or refused with the name of a field; the server starts again with those that it has kept", async () => {
  const dataDir = join(folder.path, "data");
  await mkdir(dataDir, { mode: 0o700 });
  const wrong: unknown[] = [];
  const counts = new Map<number, number>();
  /** The ids that the server has acknowledged and must still know. */
  let kept: string[] = [];
  for (let first = 0; first < COUNT && wrong.length < 30; first += BATCH) {
    const multibox = await startMultibox(["--data-dir", dataDir, "--no-demo"]);
    try {
      const known = (await multibox.streams()).map(({ id }) => id);
      expect(known.toSorted(), `after restart ${first / BATCH}`).toEqual(kept.toSorted());
      for (const id of kept.slice(0, -5)) await multibox.ask(`/v1/streams/${id}`, { method: "DELETE" });
      kept = kept.slice(-5);
      for (const [i, settings] of ALL.slice(first, first + BATCH).entries()) {
        // Every third changes a stream that there is.
        const target = i % 3 === 2 ? kept.at(-1) : undefined;
        const id = target ?? `s${first + i}`;
        const { status, text } = await send(multibox, settings, id, target !== undefined);
        counts.set(status, (counts.get(status) ?? 0) + 1);
        if (status === 201) kept.push(id);
        const isRight =
          (status >= 200 && status < 300) || (status >= 400 && status < 500 && namesField(text, settings));
        if (!isRight)
          wrong.push({ status, text: text.slice(0, 400), settings: JSON.stringify(settings).slice(0, 400) });
      }
    } finally {
      const { code, stderr } = await multibox.stop();
      if (code !== 0) wrong.push({ code, stderr: stderr.slice(-1000) });
    }
  }
  console.log("statuses", Object.fromEntries(counts));
  expect(wrong).toEqual([]);
  expect(counts.get(201)).toBeGreaterThan(100);
  expect(counts.get(400)).toBeGreaterThan(1000);
}, 1_200_000);

test("in a settings file each is accepted, or rejected with the field and the line", async () => {
  const file = join(folder.path, "settings.yaml");
  const wrong: unknown[] = [];
  let accepted = 0;
  let lastRejected = "";
  let lastAccepted = "";
  for (const [i, settings] of ALL.entries()) {
    const text = stringify({ port: 0, streams: [{ id: `s${i}`, ...settings }] });
    await writeFile(file, text);
    try {
      await loadConfig({ file });
      accepted += 1;
      lastAccepted = text;
    } catch (error) {
      const isNamed =
        error instanceof MultiboxError &&
        error.message.includes(`${file}:`) &&
        /:\d+: |at line \d+/.test(error.message) &&
        (namesField(error.message, settings) || error.code === "CONFIG_UNREADABLE");
      if (!isNamed)
        wrong.push({ error: String(error).slice(0, 400), settings: JSON.stringify(settings).slice(0, 400) });
      lastRejected = text;
    }
    if (wrong.length >= 5) break;
  }
  console.log(`${accepted} accepted, ${COUNT - accepted} rejected`);
  expect(wrong).toEqual([]);
  expect(accepted).toBeGreaterThan(100);
  // The program itself says the same.
  await writeFile(file, lastRejected);
  const { code, stderr } = await runMultibox(["serve", "--config", file]);
  expect(code).toBe(2);
  expect(stderr).toMatch(/^multibox: CONFIG_\w+: .*settings\.yaml/);
  await writeFile(file, lastAccepted);
  const multibox = await startMultibox(["--config", file]);
  await multibox.stop();
  expect(await readFile(file, "utf8")).toBe(lastAccepted);
});

function send(
  multibox: Multibox,
  settings: Settings,
  id: string,
  changes: boolean,
): Promise<{ status: number; text: string }> {
  const path = changes ? `/v1/streams/${id}` : "/v1/streams";
  // Spread with null prototypes in mind: JSON text keeps a key of any name.
  const body = changes ? JSON.stringify(settings) : `{"id":"${id}",${JSON.stringify(settings).slice(1)}`;
  const headers = { "content-type": "application/json" };
  return multibox
    .ask(path, { method: changes ? "PATCH" : "POST", headers, body })
    .then(async (answer) => ({ status: answer.status, text: await answer.text() }));
}

/** Whether an answer names one of the fields that were sent, at any depth; control characters of a name are not repeated. */
function namesField(text: string, settings: Settings): boolean {
  return namesIn(settings).some((name) => text.includes(name.replaceAll(/\p{Cc}/gu, "")));
}

function namesIn(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  const inside = Object.values(value).flatMap(namesIn);
  return Array.isArray(value) ? inside : [...Object.keys(value), ...inside];
}
