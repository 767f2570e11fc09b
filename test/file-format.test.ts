// Files of a later format than this version reads are refused by name.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readAnnotations } from "../src/annotate/annotation-file.ts";
import { readLeftover } from "../src/annotate/resume.ts";
import { requireFormat } from "../src/file-format.ts";
import { readSpec } from "../src/model/bundle.ts";
import { Quarantine } from "../src/server/quarantine.ts";
import { RecordStore } from "../src/server/background/record-store.ts";
import { JobRecord } from "../src/server/jobs/job-record.ts";
import { CaptureStore } from "../src/server/captures/capture-store.ts";
import { ModelStore } from "../src/server/models/model-store.ts";
import { parseCapture } from "../src/training/capture-set.ts";
import { readCheckpoint } from "../src/training/checkpoint.ts";
import { writeSafetensors } from "../src/model/weights/safetensors.ts";
import { callOf } from "../src/server/database/database-thread.ts";
import type { Store } from "../src/server/database/store.ts";
import { memoryStore } from "./support/memory-store.ts";

const newer = expect.objectContaining({ code: "FILE_NEWER", message: expect.stringContaining("its format is 2") });

test("an absent format is 1, and what is no number is left to the schema", () => {
  for (const content of [{}, { format: 1 }, { format: "2" }, null, undefined, 7, []]) requireFormat(content, "it");
  expect(() => requireFormat({ format: 2 }, "it")).toThrow(newer);
});

test("annotations, unfinished annotations, models, checkpoints and captures of a newer multibox are refused", async () => {
  const folder = mkdtempSync(join(tmpdir(), "multibox-format-"));
  try {
    const lines = join(folder, "a.jsonl");
    writeFileSync(lines, '{"type":"header","format":2,"later":true}\n');
    writeFileSync(join(folder, "model.json"), '{"format":2,"later":true}');
    const checkpoint = join(folder, "c.safetensors");
    writeFileSync(checkpoint, writeSafetensors(new Map(), { format: "2" }));
    await expect(readAnnotations(lines)).rejects.toThrow(newer);
    await expect(readLeftover(lines)).rejects.toThrow(newer);
    await expect(readSpec(folder)).rejects.toThrow(newer);
    await expect(readCheckpoint(checkpoint)).rejects.toThrow(newer);
    expect(() => parseCapture('{"format":2,"later":true}', "b.capture.json")).toThrow(newer);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("a record and a version of a newer multibox are left out with a warning", async () => {
  const folder = mkdtempSync(join(tmpdir(), "multibox-format-"));
  const store: Store = memoryStore();
  try {
    const warnings: string[] = [];
    const record = JSON.stringify({ format: 2, id: "a" });
    await callOf(store, "putRecord", { table: "jobs", id: "a", state: "queued", record });
    const records = new RecordStore(store, "jobs", JobRecord);
    expect(await records.load((sentence) => warnings.push(sentence))).toEqual([]);
    expect(await records.ids()).toEqual(["a"]);
    mkdirSync(join(folder, "yard/3"), { recursive: true });
    writeFileSync(join(folder, "yard/3/version.json"), '{"format":3}');
    writeFileSync(join(folder, "yard/in-use.json"), '{"format":2,"version":3}');
    const models = new ModelStore(folder);
    await models.load((sentence) => warnings.push(sentence));
    expect(models.versions("yard")).toEqual([]);
    expect(warnings).toHaveLength(3);
    for (const warning of warnings) expect(warning).toContain("was written by a newer multibox");
  } finally {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

test("a capture of a newer multibox is left out with a warning, and its image stays where it is", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "multibox-format-"));
  try {
    const folder = join(dataDir, "captures");
    mkdirSync(folder);
    for (const name of ["a.jpg", "b.jpg"]) writeFileSync(join(folder, name), "image");
    writeFileSync(join(folder, "a.capture.json"), '{"format":2,"later":true}');
    const warnings: string[] = [];
    const logger = { warn: () => undefined, error: () => undefined };
    const quarantine = new Quarantine({ dataDir, logger, now: () => 0 });
    const captures = new CaptureStore(folder, { maxCount: 1, maxBytes: 1 });
    await captures.load((sentence) => warnings.push(sentence), quarantine);
    expect(captures.list()).toEqual([]);
    expect(warnings).toEqual([expect.stringContaining("a.capture.json was written by a newer multibox")]);
    expect(readdirSync(folder).sort()).toEqual(["a.capture.json", "a.jpg"]);
    expect(readdirSync(join(quarantine.folder, "1970-01-01-1/captures"))).toEqual(["b.jpg"]);
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});
