// Killed at ten random moments in three ways and gone on with each time: the annotations equal those of an undisturbed run, to the byte.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { random } from "../../src/model/random.ts";
import { makeFolder } from "../support/ffmpeg.ts";
import { testData } from "../support/model.ts";
import { launch, runMultibox } from "../support/multibox.ts";

const video = testData("videos/roboflow-example_video.mp4");

it.skipIf(!video)("a run that was killed ten times ends as one that was not", { timeout: 900_000 }, async () => {
  const folder = await makeFolder();
  try {
    const [whole, target] = ["whole.jsonl", "killed.jsonl"].map((name) => join(folder.path, name)) as [string, string];
    const begun = performance.now();
    expect(await runMultibox(["annotate", video!, "--out", whole])).toMatchObject({ code: 0 });
    const took = performance.now() - begun;
    const next = random(7);
    const signals = ["SIGINT", "SIGTERM", "SIGKILL"] as const;
    const codes: (number | null)[] = [];
    for (let time = 0; time < 10; time++) {
      const { child, exit } = launch(["annotate", video!, "--out", target, "--resume"]);
      await Promise.race([exit, sleep(next() * took)]);
      child.kill(signals[time % 3]);
      codes.push((await exit).code);
    }
    // Whatever a signal met, it was an interruption or the end, and never a failure.
    for (const code of codes) expect([null, 0, 130]).toContain(code);
    expect(await runMultibox(["annotate", video!, "--out", target, "--resume"])).toMatchObject({ code: 0 });
    expect(await readFile(target)).toEqual(await readFile(whole));
  } finally {
    await folder.remove();
  }
});
