// What does a fine-tune bring on one fixed camera? Each setting, with several seeds, learns from its first minute and is judged on a later one
// that took no part in it: AP with the interval of its change, objects found and false detections, and what the training run itself said.
import { execFileSync, spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { type Bundle, readBundle } from "../src/model/bundle.ts";
import { findFfmpeg } from "../src/pipeline/find-ffmpeg.ts";
import { changeOfAp } from "../src/training/bootstrap.ts";
import { openDataset } from "../src/training/dataset.ts";
import type { Evaluation } from "../src/training/evaluate.ts";
import { judge } from "../src/training/judge.ts";
import { tallyOf } from "../src/training/report/worse.ts";
import type { Dataset, Found } from "../src/training/truth.ts";
import type { Verdict } from "../src/training/verdict.ts";
import { benchModel, benchVideo, DATA, printMachine } from "./harness.ts";

const { values: chosen } = parseArgs({
  options: {
    seeds: { type: "string", default: "1,2,3" },
    /** Settings, each as the command line has them; several with `--run`. */
    run: { type: "string", multiple: true, default: [""] },
    /** Folder with the data sets `train` and `test` of another camera. */
    camera: { type: "string" },
    /** Folder of a data set with labels of the default model that the runs must not forget. */
    old: { type: "string" },
  },
});
const SCORE = 0.5;
const threads = availableParallelism();

printMachine();
const scratch = await mkdtemp(join(tmpdir(), "multibox-fixed-camera-"));
try {
  if (chosen.camera === undefined) await writeImages();
  const camera = chosen.camera ?? scratch;
  const test = await openDataset({ folder: join(camera, "test") });
  const old = chosen.old === undefined ? undefined : await openDataset({ folder: chosen.old });
  const { bundle: parent } = await benchModel();
  const before = await judge(parent, test, { threads });
  const oldBefore = old && (await judge(parent, old, { threads }));
  console.log(
    `\n${test.pictures.length} images, ${before.objects} objects. Before: ${row(before, test)}${oldBefore ? `, old labels ${percent(oldBefore.figures["AP"]!)}` : ""}\n`,
  );
  console.log(
    "| settings | seed | AP | AP50 | found, false | change of AP, 90 % | change of AP50, 90 % | verdict | its own change | minutes | of two cores | epoch | old labels |",
  );
  console.log("|---|---|---|---|---|---|---|---|---|---|---|---|---|");
  for (const settings of chosen.run) {
    for (const seed of chosen.seeds.split(",")) {
      const { verdict, bestEpoch, cpuSeconds, minutes, bundle } = await train(join(camera, "train"), settings, seed);
      const after = await judge(bundle, test, { threads });
      const changeOver = (thresholds?: readonly number[]): string => {
        const options = { seed: 1, ...(thresholds && { thresholds }) };
        const { change, low, high } = changeOfAp(test.pictures, before.found, after.found, test.categories, options);
        return `${signed(change)} (${signed(low)} to ${signed(high)})`;
      };
      const kept = old && (await judge(bundle, old, { threads }));
      const cells = [
        settings || "defaults",
        seed,
        row(after, test).replaceAll(", ", " | ").replace("/", ", "),
        changeOver(),
        changeOver([0.5]),
        verdict.outcome,
        verdict.change ? signed(verdict.change.change) : "",
        minutes.toFixed(1),
        (cpuSeconds / 120).toFixed(1),
        bestEpoch,
        kept ? signed(kept.figures["AP"]! - oldBefore!.figures["AP"]!) : "",
      ];
      console.log(`| ${cells.join(" | ")} |`);
    }
  }
} finally {
  await rm(scratch, { recursive: true, force: true });
}

/** The images that the annotations name, as the data set's README says. */
async function writeImages(): Promise<void> {
  const all = join(scratch, "all");
  await mkdir(all);
  const filter = ["-vf", "select='not(mod(n,8))'", "-vsync", "0", "-qscale:v", "2", "-frame_pts", "1"];
  const video = await benchVideo("vtest.avi");
  execFileSync((await findFfmpeg()).path, ["-v", "error", "-i", video, ...filter, join(all, "f%04d.jpg")]);
  for (const side of ["train", "test"]) {
    const file = join(DATA, "camera", side, "instances.json");
    await mkdir(join(scratch, side, "images"), { recursive: true });
    await cp(file, join(scratch, side, "instances.json"));
    const { images } = JSON.parse(await readFile(file, "utf8")) as { images: readonly { file_name: string }[] };
    for (const { file_name } of images) await cp(join(all, file_name), join(scratch, side, "images", file_name));
  }
}

interface Run {
  readonly verdict: Verdict;
  readonly bestEpoch: number;
  readonly cpuSeconds: number;
  readonly minutes: number;
  readonly bundle: Bundle;
}

async function train(data: string, settings: string, seed: string): Promise<Run> {
  const out = join(scratch, "out");
  const start = performance.now();
  const args = ["train", "--data", data, "--seed", seed, "--out", out, "--force", "--json"];
  const child = spawn(process.execPath, ["dist/cli.js", ...args, ...settings.split(" ").filter(Boolean)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let done: Pick<Run, "verdict" | "bestEpoch" | "cpuSeconds"> | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    const event = JSON.parse(line) as { type: string };
    if (event.type === "done") done = event as unknown as Run;
  }
  if (!done) throw new Error("The training run ended without a result.");
  return { ...done, minutes: (performance.now() - start) / 60_000, bundle: await readBundle(out) };
}

function row({ figures, found }: Evaluation, { pictures, categories }: Dataset): string {
  const sure = found.filter(({ score }: Found) => score >= SCORE);
  const ids = categories.map(({ id }) => id);
  let [right, wrong] = [0, 0];
  for (const image of pictures) {
    const tally = tallyOf(
      image,
      sure.filter(({ pictureId }) => pictureId === image.id),
      ids,
    );
    right += tally.right;
    wrong += tally.wrong;
  }
  return `${percent(figures["AP"]!)}, ${percent(figures["AP50"]!)}, ${right}/${wrong}`;
}

function percent(value: number): string {
  return (value * 100).toFixed(1);
}

function signed(value: number): string {
  return `${value >= 0 ? "+" : ""}${percent(value)}`;
}
