// The arguments of `multibox captures`.
import { type Command, Option } from "commander";
import { defaultDataDir } from "../cache-dir.ts";
import { captureBoundsOf } from "../config.ts";
import { loadConfig } from "../load-config.ts";
import type { CaptureExport, CaptureImport } from "./captures.ts";

/** The forms in which captures are exported. */
export const CAPTURE_FORMATS = ["coco", "voc", "yolo", "cvat", "label-studio", "csv"] as const;

/** Adds the commands. `settings` are the options that say where captures lie and how many there may be. */
export function addCapturesCommand(program: Command, settings: readonly Option[]): void {
  const captures = program
    .command("captures")
    .description("Captured frames, for other programs that label pictures and back from them");
  const exporting = captures
    .command("export")
    .description("Write captures with their pictures as a data set")
    .requiredOption("--out <folder>", "Where to write it")
    .addOption(new Option("--format <name>", "Of the data set").choices([...CAPTURE_FORMATS]).default("coco"))
    .addOption(
      new Option("--status <which>", "Only those that are so")
        .choices(["new", "accepted", "skipped", "all"])
        .default("accepted"),
    )
    .option("--json", "Print one line of JSON", false);
  const importing = captures
    .command("import")
    .description("Take the pictures and boxes of a data set for captures; no server may run in the data folder")
    .argument("<folder>", "The data set, of COCO or PASCAL VOC")
    .addOption(
      new Option("--format <format>", "Of the annotations; told from the folder if absent").choices(["coco", "voc"]),
    )
    .option("--annotations <file>", "COCO's JSON, where it is not found by itself")
    .addOption(new Option("--status <as>", "What they are then").choices(["new", "accepted"]).default("accepted"))
    .option("--json", "Print one line of JSON", false);
  for (const command of [exporting, importing]) for (const option of settings) command.addOption(option);
  exporting
    .addHelpText("after", "\nExample:\n  multibox captures export --format voc --out yard-voc")
    .action(async (flags: CaptureExport & Settings) => {
      const { exportCaptures } = await import("./captures.ts");
      await exportCaptures({ ...flags, ...(await placeOf(flags)) });
    });
  importing
    .addHelpText(
      "after",
      "\nImages that `captures export` wrote are known by their names, with a prefix too (1a2b3c4d-NAME.jpg), or by their bytes:\ntheir captures are corrected, not doubled.\n\nExample:\n  multibox captures import yard-voc",
    )
    .action(async (folder: string, flags: CaptureImport & Settings) => {
      const { importCaptures } = await import("./captures.ts");
      await importCaptures(folder, { ...flags, ...(await placeOf(flags)) });
    });
}

interface Settings {
  readonly dataDir?: string;
  readonly captureMaxCount?: string;
  readonly captureMaxMb?: string;
}

async function placeOf({ dataDir, captureMaxCount, captureMaxMb }: Settings): Promise<{
  readonly dataDir: string;
  readonly bounds: ReturnType<typeof captureBoundsOf>;
}> {
  const config = await loadConfig({ env: process.env, flags: { dataDir, captureMaxCount, captureMaxMb } });
  return { dataDir: config.dataDir ?? defaultDataDir(), bounds: captureBoundsOf(config) };
}
