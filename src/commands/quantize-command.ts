// The arguments of `multibox quantize`, apart from cli.ts, which would be too long with all commands' arguments.
import { type Command, Option } from "commander";
import { defaultCacheDir } from "../cache-dir.ts";
import { loadConfig } from "../load-config.ts";
import { numberBetween, wholeNumber } from "./arguments.ts";
import type { QuantizeOptions } from "./quantize.ts";

/** Adds the command. `settings` are the options `--model` and `--cache-dir`, as every command has them. */
export function addQuantizeCommand(program: Command, settings: readonly Option[]): void {
  const command = program
    .command("quantize")
    .description("Find the ranges that int8 needs by running a model on pictures, and write the model with them")
    .requiredOption("--data <folder>", "Pictures like those that it will see: JPEG or PNG, in folders or not")
    .requiredOption("--out <folder>", "Where to write the model")
    .addOption(
      new Option("--method <how>", "All that was seen, or all but the rarest values")
        .choices(["min-max", "percentile"])
        .default("min-max"),
    )
    .option("--percentile <value>", "Share of the values to keep, 50..100 percent", numberBetween(50, 100), 99.99)
    .option("--limit <n>", "So many of the pictures, evenly chosen", wholeNumber, 100)
    .option("--force", "Replace the model that is in the folder", false)
    .option("--json", "Print one line of JSON", false);
  for (const option of settings) command.addOption(option);
  command
    .addHelpText("after", "\nExample:\n  multibox quantize --model ./my-model --data pictures --out ./my-model-int8")
    .action(async ({ model, cacheDir, ...flags }: QuantizeFlags) => {
      const config = await loadConfig({ env: process.env, flags: { model, cacheDir } });
      const { quantizeModel } = await import("./quantize.ts");
      await quantizeModel({ ...flags, model: config.model, cacheDir: config.cacheDir ?? defaultCacheDir() });
    });
}

interface QuantizeFlags extends Omit<QuantizeOptions, "model" | "cacheDir"> {
  readonly model?: string;
  readonly cacheDir?: string;
}
