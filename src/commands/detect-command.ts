// The arguments of `multibox detect`.
import type { Command, Option } from "commander";
import { defaultCacheDir } from "../cache-dir.ts";
import { postProcessOf } from "../config.ts";
import { loadConfig } from "../load-config.ts";
import { collect } from "./arguments.ts";

/** Adds the command. `settings` are the options that open a model and post-process, as every command has them. */
export function addDetectCommand(program: Command, settings: readonly Option[]): void {
  const command = program
    .command("detect")
    .description("Find the objects in pictures (JPEG, PNG)")
    .argument("<file...>", "Picture files, and folders of them")
    .option("--out <what>", "A form, a file whose ending says which, or form=file; may be given several times", collect)
    .option("--out-dir <folder>", "Where outputs go that have no path; the current folder if absent")
    .option("--force", "Replace outputs that are there", false)
    .option("--min-score <value>", "Leave out detections below this score, 0..1 (default: 0.5)")
    .option("--labels <label...>", "Show only these labels")
    .option("--json", "Print one line of JSON for each picture", false);
  for (const option of settings) command.addOption(option);
  command
    .addHelpText(
      "after",
      `
Boxes are x, y, width, height in pixels of the picture. All pictures of a call are written together: with --out coco as
detections.coco.json.

Examples:
  multibox detect holiday.jpg --min-score 0.4
  multibox detect photos --out coco=found.json --out yolo`,
    )
    .action(async (files: string[], { labels, json, out, outDir, force, minScore = "0.5", ...flags }: DetectFlags) => {
      const config = await loadConfig({ env: process.env, flags: { ...flags, minScore } });
      const { detectFiles } = await import("./detect.ts");
      const failed = await detectFiles(files, {
        ...config,
        cacheDir: config.cacheDir ?? defaultCacheDir(),
        postProcess: postProcessOf(config),
        labels,
        json,
        out: out ?? [],
        outDir,
        force,
      });
      if (failed > 0) process.exitCode = 1;
    });
}

interface DetectFlags extends Record<string, unknown> {
  readonly labels?: string[];
  readonly json: boolean;
  readonly out?: string[];
  readonly outDir?: string;
  readonly force: boolean;
  readonly minScore?: string;
}
