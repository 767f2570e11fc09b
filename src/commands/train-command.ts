// The arguments of `multibox train`: those of a run, and a flag for each setting of a training.
import { type Command, Option } from "commander";
import type { z } from "zod";
import { defaultCacheDir, defaultDataDir } from "../cache-dir.ts";
import { MultiboxError } from "../errors.ts";
import { loadConfig } from "../load-config.ts";
import { TrainSettings } from "../training/train-settings.ts";
import { collect, numberBetween } from "./arguments.ts";
import type { TrainCommandOptions } from "./train.ts";

type Setting = keyof typeof TrainSettings.shape;

/** Adds the command. `settings` are the options `--model`, as `--from`, `--cache-dir` and `--data-dir`, as every command has them. */
export function addTrainCommand(program: Command, settings: readonly Option[]): void {
  const command = program
    .command("train")
    .description("Fine-tune a model on pictures with boxes, and write it where it can be used")
    .requiredOption("--data <folder>", "The data set: COCO, PASCAL VOC or captured frames")
    .addOption(
      new Option("--format <format>", "Of the annotations; told from the folder if absent").choices([
        "coco",
        "voc",
        "captures",
      ]),
    )
    .option("--annotations <file>", "COCO's JSON, where it is not found by itself")
    .option("--split <name>", "train2017 for instances_train2017.json, train for ImageSets/Main/train.txt")
    .option("--from <model>", "What it begins with: a name, name@version, or a folder (default: the model in use)")
    .option("--out <folder>", "Where to write the model")
    .option("--name <name>", "Instead of --out: keep it as the next version of that name, in the data folder")
    .option("--validation <folder>", "A data set to judge by; a part of --data if absent")
    .option("--replay <folder>", "A data set of older pictures, mixed in against forgetting")
    .addOption(
      new Option("--only-under <folder>", "Read no data from outside of it, links followed; repeatable").argParser(
        collect,
      ),
    )
    .option("--resume", "Go on with what an interrupted training has left", false)
    .option("--checkpoint-every <seconds>", "Time between two checkpoints", numberBetween(0, 86_400), 60)
    .option("--force", "Replace the model that is in the folder, and what an interrupted training has left", false)
    .option("--json", "Print events as lines of JSON", false);
  for (const name of Object.keys(TrainSettings.shape) as Setting[]) command.addOption(flagOf(name));
  for (const option of settings) command.addOption(option);
  command
    .addHelpText(
      "after",
      `
Ctrl-C keeps what was learnt, and --resume goes on from there.

Examples:
  multibox train --data captures --out ./yard
  multibox train --data voc2012 --name yard --epochs 40 --labels all
  multibox train --data coco/train --out ./few --merge vehicle=car,bus,truck --labels person,vehicle`,
    )
    .action(async (flags: TrainFlags) => {
      const given = Object.entries(flags).filter(([name]) => name in TrainSettings.shape);
      const config = await loadConfig({ env: process.env, flags: pick(flags, ["cacheDir", "dataDir"]) });
      const { trainModel } = await import("./train.ts");
      await trainModel({
        ...flags,
        from: flags.from ?? config.model,
        cacheDir: config.cacheDir ?? defaultCacheDir(),
        dataDir: config.dataDir ?? defaultDataDir(),
        settings: parse(Object.fromEntries(given) as Record<string, string | boolean | string[]>),
      });
    });
}

interface TrainFlags extends Omit<TrainCommandOptions, "from" | "settings" | "cacheDir" | "dataDir"> {
  readonly from?: string;
  readonly cacheDir?: string;
  readonly dataDir?: string;
}

/** `--weight-decay` for `weightDecay`, with the prose and default of the setting itself. */
function flagOf(name: Setting): Option {
  const schema = TrainSettings.shape[name];
  const kebab = name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  if (name === "augment") return new Option("--no-augment", "Show the pictures as they are");
  if (name === "merge") return new Option("--merge <new=old,old>", schema.description).argParser(collect);
  const fallback = schema.safeParse(undefined).data;
  const shown = fallback === undefined ? "" : ` (default: ${JSON.stringify(fallback)})`;
  return new Option(`--${kebab} <value>`, `${schema.description}${shown}`);
}

/** Fails with CONFIG_INVALID, naming the flag and the value. */
function parse(flags: Record<string, string | boolean | string[]>): TrainSettings {
  if (flags["minutes"] !== undefined && flags["epochs"] !== undefined) {
    const sentence = `--minutes ${String(flags["minutes"])} and --epochs ${String(flags["epochs"])} are both given.`;
    throw new MultiboxError("CONFIG_INVALID", sentence, "Give one of the two.");
  }
  const values = Object.entries(flags).map(([name, value]) => [name, valueOf(name as Setting, value)]);
  const parsed = TrainSettings.safeParse(Object.fromEntries(values));
  if (parsed.success) return parsed.data;
  const [{ path, message }] = parsed.error.issues as [z.core.$ZodIssue];
  const name = String(path[0]);
  const flag = name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw new MultiboxError(
    "CONFIG_INVALID",
    `--${flag} ${String(flags[name])}: ${message}.`,
    "See multibox train --help.",
  );
}

function valueOf(name: Setting, value: string | boolean | string[]): unknown {
  if (name === "merge") return Object.fromEntries((value as string[]).map(mergeOf));
  if (typeof value !== "string" || name === "freeze") return value;
  if (name === "labels") return value === "data" || value === "all" ? value : value.split(",");
  return value.trim() === "" || Number.isNaN(Number(value)) ? value : Number(value);
}

function mergeOf(text: string): [string, string[]] {
  const [, name, olds] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
  if (name !== undefined) return [name.trim(), olds!.split(",").map((old) => old.trim())];
  throw new MultiboxError(
    "CONFIG_INVALID",
    `--merge ${text}: it has no new label.`,
    "Write it as vehicle=car,bus,truck.",
  );
}

function pick<T extends object, K extends keyof T>(from: T, names: readonly K[]): Pick<T, K> {
  return Object.fromEntries(names.map((name) => [name, from[name]])) as Pick<T, K>;
}
