// Proposals for captures of a real camera by tiles, against the boxes that a careful person drew.
import { cp, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CaptureStore } from "../../src/server/captures/capture-store.ts";
import { cocoMetrics } from "../../src/training/coco-metrics.ts";
import { openDataset } from "../../src/training/dataset.ts";
import { ffmpeg } from "../support/ffmpeg.ts";
import { testData } from "../support/model.ts";
import { runMultibox } from "../support/multibox.ts";

const BOUNDS = { maxCount: 100, maxBytes: 1e9 };
const camera = testData("camera/test");
const video = testData("videos/vtest.avi");

test.skipIf(camera === undefined || video === undefined)(
  "tiles propose boxes that are clearly nearer to a person's than one look at the image (needs the data)",
  async () => {
    const root = await mkdtemp(join(tmpdir(), "multibox-proposals-"));
    try {
      await mkdir(join(root, "all"));
      const frames = "-vf select='not(mod(n,8))' -vsync 0 -qscale:v 2 -frame_pts 1";
      await ffmpeg(`-i ${video!}`, frames, join(root, "all/f%04d.jpg"));
      await mkdir(join(root, "set"));
      await cp(join(camera!, "instances.json"), join(root, "set/instances.json"));
      await cp(join(root, "all"), join(root, "set/images"), { recursive: true });
      const { pictures, categories } = await openDataset({ folder: join(root, "set") });
      const [person] = categories;

      const apOf = async (regions: string): Promise<number> => {
        const dataDir = join(root, regions);
        const store = new CaptureStore(join(dataDir, "captures"), BOUNDS);
        for (const { id, file, width, height } of pictures) {
          const jpeg = await readFile(file);
          const facts = { stream: "cam", seq: id, pts: 0, time: "2026-11-25T10:00:00.000Z", reason: "call" };
          const made = { width, height, bytes: jpeg.length, hash: "0".repeat(16), model: { name: "m", version: "1" } };
          const review = { proposed: [], objects: [], status: "new" as const };
          await store.add({ id: `20261125T100000000-cam-${id}`, ...facts, ...made, ...review }, jpeg);
        }
        const look = ["--regions", regions, "--labels", "person", "--min-score", "0.05", "--json"];
        const { code, stdout } = await runMultibox(["captures", "label", "--data-dir", dataDir, ...look]);
        expect([code, JSON.parse(stdout)]).toEqual([0, expect.objectContaining({ captures: pictures.length })]);
        const labelled = new CaptureStore(join(dataDir, "captures"), BOUNDS);
        await labelled.load((sentence) => expect.unreachable(sentence));
        const found = labelled
          .list()
          .flatMap(({ seq, proposed }) =>
            proposed.map(({ bbox, score }) => ({ pictureId: seq, categoryId: person!.id, bbox, score })),
          );
        const truths = pictures.flatMap(({ objects }) => objects);
        return cocoMetrics(truths, found, [person!.id]).figures.AP;
      };
      // 0.44 and 0.68 were measured.
      expect((await apOf("3x2")) - (await apOf("1x1"))).toBeGreaterThan(0.15);
    } finally {
      await rm(root, { recursive: true, force: true });
    }
  },
);
