// The arguments of `multibox captures`.
import { type Command, Option } from "commander";
import { defaultCacheDir, defaultDataDir } from "../cache-dir.ts";
import { captureBoundsOf, postProcessOf } from "../config.ts";
import { loadConfig } from "../load-config.ts";
import { MultiboxError } from "../errors.ts";
import { type Grid, MOST_TILES, parseGrid } from "../model/tiles.ts";
import type { CaptureExport, CaptureImport } from "./captures.ts";

/** The forms in which captures are exported. */
export const CAPTURE_FORMATS = ["coco", "voc", "yolo", "cvat", "label-studio", "csv"] as const;

/** Adds the commands. `settings` are the options that say where captures lie and how many there may be, `looking` those of a model that looks at them. */
export function addCapturesCommand(program: Command, settings: readonly Option[], looking: readonly Option[]): void {
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
  const labelling = captures
    .command("label")
    .description(
      "Propose new boxes, by another model or tiles, for captures that nobody has reviewed; no server may run but with --dry-run",
    )
    .option("--regions <columns>x<rows>", "Tiles of each image to look at besides the whole, for small objects", "2x2")
    .option("--min-score <value>", "Leave out detections below this score, 0..1 (default: 0.4)")
    .option("--labels <label...>", "Propose only these labels")
    .option("--stream <id...>", "Only captures of these streams")
    .option("--dry-run", "Print one line of JSON for each capture, and write nothing; a server may run", false)
    .option("--json", "Print one line of JSON", false);
  for (const option of looking) labelling.addOption(option);
  const agreement = captures
    .command("agreement")
    .description("How far people followed the proposals of the captures that they accepted")
    .option("--json", "Print one line of JSON", false);
  for (const command of [exporting, importing, labelling, agreement])
    for (const option of settings) command.addOption(option);
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
  labelling
    .addHelpText(
      "after",
      "\nReview then begins with these boxes. Captures that somebody has corrected, accepted or skipped are left alone.\n\nExample:\n  multibox captures label --model ssdlite-mobilenet-v2 --regions 2x2 --labels person",
    )
    .action(async ({ regions, minScore = "0.4", labels, stream, dryRun, json, ...flags }: LabelFlags) => {
      const grid = gridOf(regions);
      const config = await loadConfig({ env: process.env, flags: { ...flags, minScore } });
      const { labelCaptures } = await import("./label-captures.ts");
      const failed = await labelCaptures({
        ...config,
        ...(await placeOf(flags)),
        cacheDir: config.cacheDir ?? defaultCacheDir(),
        postProcess: postProcessOf(config),
        grid,
        labels,
        streams: stream,
        dryRun,
        json,
      });
      if (failed > 0) process.exitCode = 1;
    });
  agreement.action(async (flags: { json: boolean } & Settings) => {
    const { showAgreement } = await import("./label-captures.ts");
    await showAgreement({ ...flags, ...(await placeOf(flags)) });
  });
}

/** `2x2`. Fails with CONFIG_INVALID. */
function gridOf(text: string): Grid {
  const grid = parseGrid(text);
  if (grid) return grid;
  const sentence = `--regions ${text} is not a number of columns and rows, each 1 to ${MOST_TILES}.`;
  throw new MultiboxError("CONFIG_INVALID", sentence, "Write it as 2x2, or 1x1 for the whole image alone.");
}

interface LabelFlags extends Settings, Record<string, unknown> {
  readonly regions: string;
  readonly minScore?: string;
  readonly labels?: string[];
  readonly stream?: string[];
  readonly dryRun: boolean;
  readonly json: boolean;
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
