// `multibox train` on one fixed camera: what its defaults do with frames that all look alike, and what a start without progress is called.
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeBundle } from "../../src/model/bundle.ts";
import { buildSsd } from "../../src/model/networks/ssd.ts";
import { randomWeights } from "../model/support/random-weights.ts";
import { smallSpec } from "../model/support/small-spec.ts";
import { ffmpeg } from "../support/ffmpeg.ts";
import { testData } from "../support/model.ts";
import { launch, runMultibox } from "../support/multibox.ts";
import { writeFrames } from "../training/support/fixed-camera.ts";

interface CameraJson {
  images: { id: number; file_name: string }[];
  annotations: { image_id: number }[];
}

let root: string;
const at = (name: string): string => join(root, name);
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "multibox-camera-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const camera = testData("camera");
const video = testData("videos/vtest.avi");

describe.skipIf(camera === undefined || video === undefined)(
  "labelled frames of a real camera (needs the data)",
  () => {
    beforeAll(async () => {
      await mkdir(at("all"), { recursive: true });
      const frames = "-vf select='not(mod(n,8))' -vsync 0 -qscale:v 2 -frame_pts 1";
      await ffmpeg("-i", video!, frames, at("all/f%04d.jpg"));
      await part("train", "train", () => true);
      await part("test", "test", () => true);
      await part("train", "first-48", (i) => i < 48);
      await part("train", "last-12", (i) => i >= 48);
    });

    /** Images of a labelled part, by their place in it. */
    async function part(from: string, name: string, isIn: (i: number) => boolean): Promise<void> {
      const json = JSON.parse(await readFile(join(camera!, from, "instances.json"), "utf8")) as CameraJson;
      const images = json.images.toSorted((a, b) => a.file_name.localeCompare(b.file_name)).filter((_, i) => isIn(i));
      const ids = new Set(images.map(({ id }) => id));
      const annotations = json.annotations.filter(({ image_id }) => ids.has(image_id));
      await mkdir(at(`${name}/images`), { recursive: true });
      for (const { file_name } of images) await cp(at(`all/${file_name}`), at(`${name}/images/${file_name}`));
      await writeFile(at(`${name}/instances.json`), JSON.stringify({ ...json, images, annotations }));
    }

    const train = (...args: string[]): ReturnType<typeof runMultibox> =>
      runMultibox(["train", ...args, "--epochs", "1", "--variants", "1"], {}, root);

    test("train by default: the last fifteen in time, with 50 objects, validate, and three in the gap are used by neither side", async () => {
      const { code, stderr } = await train("--data", "train", "--out", "m-default");
      expect([code, stderr]).toEqual([0, expect.stringContaining("42 images to train on, 15 to validate;") as string]);
      expect(stderr).toContain("the last 15 images validate, and 3 in the gap before them are used by neither side.");
      const version = JSON.parse(await readFile(at("m-default/version.json"), "utf8")) as object;
      expect(version).toMatchObject({
        settings: { splitBy: "auto", split: { by: "time", training: 42, validation: 15, gap: 3, streams: 1 } },
      });
    });

    test("have another share, too, by every way to split", async () => {
      // Whatever follows the event is not waited for.
      const splitOf = async (...args: string[]): Promise<unknown> => {
        const run = ["train", "--data", "train", "--out", "other", "--json", ...args];
        const { child, exit } = launch(run, {}, root);
        let start = "";
        createInterface(child.stdout!).on("line", (line) => {
          if (!line.includes('"type":"start"')) return;
          start = line;
          child.kill("SIGKILL");
        });
        await exit;
        return (JSON.parse(start) as { split: unknown }).split;
      };
      const half = { by: "time", training: 27, validation: 30, gap: 3, streams: 1 };
      expect(await splitOf("--validation-share", "0.5")).toEqual(half);
      expect(await splitOf("--validation-share", "0.1", "--split-by", "hash")).toEqual({
        ...half,
        training: 51,
        validation: 6,
      });
    });

    test.each([
      ["first-48", "last-12", /10 of 48 images of first-48\S+ are nearly identical to images of last-12/],
      ["train", "test", /15 of 60 images of train\S+ are nearly identical to images of test/],
    ])(
      "%s is not trained on a few images where %s validates: the numbers and the flag are named",
      async (data, validation, sentence) => {
        const refused = await train("--data", data, "--validation", validation, "--out", "refused");
        expect([refused.code, refused.stderr]).toEqual([1, expect.stringMatching(sentence) as string]);
        expect(refused.stderr).toContain("VALIDATION_OVERLAP");
        expect(refused.stderr).toContain("--near-identical keep");
      },
    );

    test("train on all where nearly identical images are kept", async () => {
      const given = ["--data", "first-48", "--validation", "last-12", "--near-identical", "keep"];
      const { code, stderr } = await train(...given, "--out", "kept");
      expect([code, stderr]).toEqual([0, expect.stringContaining("48 images to train on, 12 to validate;") as string]);
    });
  },
);

test("a start that nothing has improved is named as one, and a model's folder without ./ is recognized", async () => {
  await writeFrames(at("frames"), { count: 20, label: "car" });
  const spec = smallSpec();
  await writeBundle(at("parent"), spec, randomWeights(buildSsd(spec), 1), { source: "random", licence: "none" });
  const few = "train --data frames --epochs 1 --batch 4 --threads 1 --variants 1 --lr 1e-12 --out".split(" ");
  const same = await runMultibox([...few, "same", "--from", "./parent"], {}, root);
  expect(same.code).toBe(0);
  expect(same.stdout).toContain("Nothing was learned: no epoch was better than the start.");
  expect(same.stdout).toContain("The unchanged start is in ./same, with report.html, and is not offered.");
  const named = await runMultibox([...few, "again", "--from", "parent"], {}, root);
  expect(named.code).not.toBe(0);
  expect(named.stderr).toContain('There is no model "parent". To use the folder of that name, write ./parent.');
});
