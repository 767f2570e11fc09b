// The arguments of `multibox export`, apart from cli.ts, which would be too long with all commands' arguments.
import { type Command, Option } from "commander";
import { loadConfig } from "../load-config.ts";
import { defaultCacheDir } from "../cache-dir.ts";
import type { ExportOptions } from "./export.ts";

const FORMATS: readonly ExportOptions["format"][] = ["onnx", "tfjs", "safetensors"];

/** Adds the command. `settings` are the options `--model` and `--cache-dir`, as every command has them. */
export function addExportCommand(program: Command, settings: readonly Option[]): void {
  const command = program
    .command("export")
    .description("Write a model in a format that other programs run")
    .addOption(
      new Option("--format <format>", "onnx and safetensors are files, tfjs is a folder")
        .choices(FORMATS)
        .makeOptionMandatory(),
    )
    .requiredOption("--out <path>", "Where to write it")
    .option("--with-nms", "Of onnx: boxes, scores and classes come out, instead of raw heads", false)
    .option("--force", "Replace what an earlier export wrote", false)
    .option("--json", "Print one line of JSON", false);
  for (const option of settings) command.addOption(option);
  command
    .addHelpText("after", "\nExample:\n  multibox export --format onnx --with-nms --out detector.onnx")
    .action(async ({ model, cacheDir, ...flags }: ExportFlags) => {
      const config = await loadConfig({ env: process.env, flags: { model, cacheDir } });
      const { exportModel } = await import("./export.ts");
      await exportModel({ ...flags, model: config.model, cacheDir: config.cacheDir ?? defaultCacheDir() });
    });
}

interface ExportFlags extends Omit<ExportOptions, "model" | "cacheDir"> {
  readonly model?: string;
  readonly cacheDir?: string;
}
