#!/usr/bin/env node
// The command line: arguments in, exit codes out. 0 is success, 1 a failure, 2 a mistake in the call, 130 an interruption.
// Commands are loaded when they are run, so that help and mistakes need not wait for libraries.
import { Command, CommanderError, Option } from "commander";
import { numberBetween, wholeNumber } from "./commands/arguments.ts";
import { addAnnotateCommand } from "./commands/annotate-command.ts";
import { addCapturesCommand } from "./commands/captures-command.ts";
import { addDetectCommand } from "./commands/detect-command.ts";
import { addDoctorCommand } from "./commands/doctor-command.ts";
import { addExportCommand } from "./commands/export-command.ts";
import type { ImportOptions } from "./commands/models-import.ts";
import { addQuantizeCommand } from "./commands/quantize-command.ts";
import { addTokenCommand } from "./commands/token-command.ts";
import { addTrainCommand } from "./commands/train-command.ts";
import { defaultCacheDir, defaultDataDir } from "./cache-dir.ts";
import { Config, postProcessOf } from "./config.ts";
import { MultiboxError, sentenceOf, systemCode } from "./errors.ts";
import { failAtOnce, onUncaught } from "./last-resort.ts";
import { loadConfig } from "./load-config.ts";
import { redactSecrets, redactUrl } from "./redact.ts";
import { packageVersion } from "./version.ts";

/** Failures that the caller mends by calling otherwise. */
const USAGE_CODES = new Set([
  "CONFIG_INVALID",
  "CONFIG_UNREADABLE",
  "MODEL_UNKNOWN",
  "LABEL_UNKNOWN",
  "OUT_CONFLICT",
  "OUT_EXISTS",
  "SOFT_NEEDS_MKV",
  "CONTAINER_UNKNOWN",
  "ENCODER_UNKNOWN",
  "VIDEO_NEEDED",
  "OUT_IS_INPUT",
  "OUT_UNKNOWN",
  "RESUME_MISMATCH",
  "SPEC_INVALID",
  "SPEC_UNKNOWN",
  "TOKEN_INVALID",
  "TOKEN_NAME_TAKEN",
  "TOKEN_NEEDED",
  "TOKEN_UNKNOWN",
  "STREAM_BAD_SCHEME",
  "PRECISION_UNAVAILABLE",
]);

type Setting = keyof typeof Config.shape;

const POST_PROCESSING = ["iouThreshold", "maxDetections", "nms", "classAgnostic"] as const;

/** Settings whose flag has no value. */
const SWITCHES = new Set<Setting>(["classAgnostic", "forbidPrivateAddresses"]);
/** Settings that may have several values. */
const LISTS = new Set<Setting>(["fileRoots", "allowedOrigins", "trustedProxies"]);

/** `--max-batch` for `maxBatch`, with the prose and default of the setting itself. */
function settingOption(name: Setting): Option {
  const schema = Config.shape[name];
  const kebab = name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const fallback = schema.safeParse(undefined).data;
  const shown = fallback === undefined ? "" : ` (default: ${JSON.stringify(fallback)})`;
  const value = SWITCHES.has(name) ? "" : LISTS.has(name) ? " <value...>" : " <value>";
  return new Option(`--${kebab}${value}`, `${schema.description}${shown}`);
}

function streamOption(value: string, earlier: unknown[] = []): unknown[] {
  const [, id, url] = /^([^=:/]+)=(.+)$/s.exec(value) ?? [];
  if (id === undefined) {
    // Not commander's own error, which repeats the value with its password.
    const hint = "Write it as name=url, for example cam1=rtsp://192.0.2.7/stream.";
    throw new MultiboxError("CONFIG_INVALID", `The stream "${redactUrl(value)}" has no name.`, hint);
  }
  return [...earlier, { id, url }];
}

const program = new Command("multibox")
  .description("Finds objects in cameras and videos, and tells of every frame over WebSocket.")
  .version(packageVersion())
  .showHelpAfterError("(multibox --help shows what there is)")
  .addHelpText("after", "\nStart here:  multibox serve        then open the address that it prints")
  // Long names of options leave less than commander wants for their prose before it wraps it.
  .configureHelp({ minWidthToWrap: 30 })
  .configureOutput({ writeErr: (text) => process.stderr.write(redactSecrets(text)) })
  .exitOverride();

const serveCommand = program
  .command("serve")
  .description("Run the server: streams in, detections out, and a page to watch")
  .option("--config <file>", "YAML file with settings; see multibox.example.yaml")
  .option("--stream <name=url>", "A camera (rtsp://...) or a video file; may be given several times", streamOption)
  .option("--no-demo", "Show no demo where no stream is given")
  .option("--json", "Print one line of JSON when ready", false);
for (const name of Object.keys(Config.shape) as Setting[]) {
  if (name !== "streams") serveCommand.addOption(settingOption(name));
}
serveCommand
  .addHelpText(
    "after",
    `
Every setting can also stand in the --config file, or in the environment as MULTIBOX_MAX_BATCH for --max-batch.

Examples:
  multibox serve
  multibox serve --stream cam1=rtsp://user:password@192.0.2.7/stream --stream yard=yard.mp4`,
  )
  .action(async ({ config: file, stream, demo, json, ...flags }: ServeFlags) => {
    const load = (): Promise<Config> => loadConfig({ file, env: process.env, flags: { ...flags, streams: stream } });
    const config = await load();
    const { serve } = await import("./commands/serve.ts");
    const folders = { cacheDir: config.cacheDir ?? defaultCacheDir(), dataDir: config.dataDir ?? defaultDataDir() };
    await serve({ config, ...(file !== undefined && { source: { file, load } }), ...folders, demo, json });
  });

interface ServeFlags extends Record<string, unknown> {
  readonly config?: string;
  readonly stream?: unknown[];
  readonly demo: boolean;
  readonly json: boolean;
}

const DETECT_SETTINGS = ["model", "engine", "precision", "workers"] as const;
addDetectCommand(program, [...DETECT_SETTINGS, ...POST_PROCESSING, "cacheDir" as const].map(settingOption));

const ANNOTATE_SETTINGS = ["model", "engine", "precision", "workers", "maxBatch"] as const;
addAnnotateCommand(program, [...ANNOTATE_SETTINGS, ...POST_PROCESSING, "cacheDir" as const].map(settingOption));

const evaluateCommand = program
  .command("evaluate")
  .description("Judge a model on a data set, in the figures of COCO or PASCAL VOC, and time it")
  .requiredOption("--data <folder>", "The data set: pictures and their annotations")
  .addOption(
    new Option("--format <format>", "Of the annotations; told from the folder if absent").choices([
      "coco",
      "voc",
      "captures",
    ]),
  )
  .option("--annotations <file>", "COCO's JSON, where it is not found by itself")
  .option("--split <name>", "val2017 for instances_val2017.json, test for ImageSets/Main/test.txt")
  .option("--limit <n>", "Only the first n pictures", wholeNumber)
  .option("--min-score <value>", "Lowest score that counts, 0..1; the model's own if absent", numberBetween(0, 1))
  .option("--iou-threshold <value>", "Of non-maximum suppression, 0..1; the model's own if absent", numberBetween(0, 1))
  .option("--max-detections <n>", "Most detections of a picture; the model's own if absent", wholeNumber)
  .addOption(
    new Option("--difficult <how>", "Objects that PASCAL VOC calls difficult")
      .choices(["ignore", "count"])
      .default("ignore"),
  )
  .option("--curves <file.svg>", "Draw precision over recall")
  .option("--detections <file.json>", "Write what was found, in COCO's results format")
  .option("--json", "Print one line of JSON", false);
const EVALUATE_SETTINGS = ["model", "engine", "precision", "workers", "maxBatch", "nms", "classAgnostic"] as const;
for (const name of [...EVALUATE_SETTINGS, "cacheDir"] as const) evaluateCommand.addOption(settingOption(name));
evaluateCommand
  .addHelpText("after", "\nExample:\n  multibox evaluate --data coco/val --curves curves.svg")
  .action(
    async ({ model, engine, precision, workers, maxBatch, nms, classAgnostic, cacheDir, ...flags }: EvaluateFlags) => {
      const settings = { model, engine, precision, workers, maxBatch, nms, classAgnostic, cacheDir };
      const config = await loadConfig({ env: process.env, flags: settings });
      const { minScore, iouThreshold, maxDetections, ...options } = flags;
      // What the environment says of a server's boxes is not asked: figures are a model's own unless a flag says otherwise.
      const postProcess = { ...postProcessOf(config), minScore, iouThreshold, maxDetections };
      const { evaluateModel } = await import("./commands/evaluate.ts");
      const failed = await evaluateModel({
        ...config,
        ...options,
        cacheDir: config.cacheDir ?? defaultCacheDir(),
        postProcess,
      });
      if (failed > 0) process.exitCode = 1;
    },
  );

interface EvaluateFlags extends Record<string, unknown> {
  readonly data: string;
  readonly format?: "coco" | "voc" | "captures";
  readonly annotations?: string;
  readonly split?: string;
  readonly limit?: number;
  readonly minScore?: number;
  readonly iouThreshold?: number;
  readonly maxDetections?: number;
  readonly difficult: "ignore" | "count";
  readonly curves?: string;
  readonly detections?: string;
  readonly json: boolean;
}

addQuantizeCommand(program, [settingOption("model"), settingOption("cacheDir")]);
addTrainCommand(program, [settingOption("cacheDir"), settingOption("dataDir")]);
addCapturesCommand(
  program,
  (["dataDir", "captureMaxCount", "captureMaxMb"] as const).map(settingOption),
  (["model", "engine", "precision", "workers", "cacheDir", ...POST_PROCESSING] as const).map(settingOption),
);
addExportCommand(program, [settingOption("model"), settingOption("cacheDir")]);
addDoctorCommand(
  program,
  (["host", "port", "model", "engine", "precision", "workers", "cacheDir", "dataDir"] as const).map(settingOption),
);
addTokenCommand(program, settingOption("dataDir"));

const models = program.command("models").description("See and fetch the models that multibox knows");
models
  .command("list")
  .description("Show the known models and which of them are here")
  .option("--json", "Print JSON", false)
  .addOption(settingOption("cacheDir"))
  .action(async (flags: ModelFlags) => {
    const { listModels } = await import("./commands/models.ts");
    listModels({ cacheDir: await cacheDirOf(flags), json: flags.json });
  });
models
  .command("pull")
  .description("Fetch models, and ONNX Runtime where it is missing, so that a later start needs no network")
  .argument("[name...]", "Names that `multibox models list` shows; by default the default model")
  .option("--force", "Fetch it even if it is here, to mend a damaged one", false)
  .option("--json", "Print JSON", false)
  .addOption(settingOption("cacheDir"))
  .action(async (names: string[], flags: ModelFlags) => {
    const { pullModels } = await import("./commands/models.ts");
    const { cacheDir, model } = await loadConfig({ env: process.env, flags: { cacheDir: flags.cacheDir } });
    await pullModels(names.length > 0 ? names : [model], flags.force ?? false, {
      cacheDir: cacheDir ?? defaultCacheDir(),
      json: flags.json,
    });
  });

models
  .command("import")
  .description(
    "Make a model of weights from elsewhere: torchvision's or Caffe's SSD, or a VGG16 to start a training from",
  )
  .argument("<file>", "A .pth, .pt, .safetensors or .caffemodel file; no code in it is run")
  .option(
    "--spec <name>",
    "What network it is, for example ssd300-vgg16-voc, or a JSON file with a spec; what multibox exported says it itself",
  )
  .requiredOption("--out <folder>", "Where to write the model")
  .option("--licence <text>", 'Of the weights, to be kept with them; else what the file says, or "not stated"')
  .option("--seed <n>", "Of the layers that a classifier has no weights for", wholeNumber, 1)
  .option("--force", "Replace the model that is in the folder", false)
  .option("--json", "Print one line of JSON", false)
  .addHelpText(
    "after",
    "\nExample:\n  multibox models import ssd300_vgg16_coco.pth --spec ssd300-vgg16-torchvision --out models/ssd300",
  )
  .action(async (file: string, options: ImportOptions) => {
    const { importModel } = await import("./commands/models-import.ts");
    await importModel(file, options);
  });

interface ModelFlags {
  readonly cacheDir?: string;
  readonly json: boolean;
  readonly force?: boolean;
}

async function cacheDirOf({ cacheDir }: ModelFlags): Promise<string> {
  return (await loadConfig({ env: process.env, flags: { cacheDir } })).cacheDir ?? defaultCacheDir();
}

// Who reads has seen enough: `multibox detect *.jpg | head`.
process.stdout.on("error", (error) => {
  if (systemCode(error) !== "EPIPE") throw error;
  process.exit(0);
});

onUncaught(failAtOnce);
try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
}

/** Says what went wrong, unless commander has said it already. A bug keeps its stack trace. */
function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (!(error instanceof MultiboxError)) {
    console.error(redactSecrets(error instanceof Error ? (error.stack ?? error.message) : sentenceOf(error)));
    return 1;
  }
  console.error(`multibox: ${error.toString()}`);
  // As a shell says it of a command that Ctrl-C ended.
  if (error.code === "INTERRUPTED") return 130;
  return USAGE_CODES.has(error.code) ? 2 : 1;
}
