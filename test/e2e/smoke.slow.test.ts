// What people do first, each once, with the built program: the slow suite runs it, and `.ci/run` once more on the newest Node.
import { access, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { demoClip } from "../../src/demo-clip.ts";
import { writeBundle } from "../../src/model/bundle.ts";
import { buildSsd } from "../../src/model/networks/ssd.ts";
import { randomWeights } from "../model/support/random-weights.ts";
import { smallSpec } from "../model/support/small-spec.ts";
import { ffmpeg } from "../support/ffmpeg.ts";
import { testCacheDir } from "../support/model.ts";
import { runMultibox, withMultibox } from "../support/multibox.ts";
import { writeShapes } from "../training/support/drawn-shapes.ts";

let folder: string;
let clip: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "multibox-smoke-"));
  clip = await demoClip(testCacheDir());
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe(`on Node ${process.version}`, () => {
  test("detect finds the car of an image", async () => {
    const image = join(folder, "car.jpg");
    await ffmpeg("-ss 1.5 -i", clip, "-frames:v 1 -q:v 2", image);
    const { code, stdout } = await runMultibox(["detect", image, "--json"]);
    expect(code).toBe(0);
    const { detections } = JSON.parse(stdout) as { detections: { label: string }[] };
    expect(detections.map(({ label }) => label)).toContain("car");
  });

  test("annotate finds cars in a video, frame by frame", async () => {
    const out = join(folder, "cars.jsonl");
    expect(await runMultibox(["annotate", clip, "--every", "10", "--out", out])).toMatchObject({ code: 0 });
    expect(await readFile(out, "utf8")).toContain('"label":"car"');
  });

  test("serve sends the detections of a stream", async () => {
    await withMultibox(["--stream", `cars=${clip}`], async (multibox) => {
      const client = await multibox.connect("cars");
      try {
        const isCar = ({ label }: { label: string }): boolean => label === "car";
        const found = await client.until((message) => message.type === "detections" && message.detections.some(isCar));
        expect(found).toMatchObject({ stream: "cars" });
      } finally {
        client.socket.close();
      }
    });
  });

  test("train takes two steps and writes a model", async () => {
    await writeShapes(join(folder, "data"), { pictures: 12, seed: 1, side: 96 });
    const spec = smallSpec();
    const provenance = { source: "random numbers", licence: "none" };
    await writeBundle(join(folder, "parent"), spec, randomWeights(buildSsd(spec), 1), provenance);
    const flags = "--epochs 1 --batch 4 --threads 1 --json";
    const { code, stdout } = await runMultibox(
      `train --data ${folder}/data --from ${folder}/parent --out ${folder}/trained ${flags}`.split(" "),
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(/"step":2,/);
    await access(join(folder, "trained/weights.safetensors"));
  });
});
