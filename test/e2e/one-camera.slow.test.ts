// From one fixed camera to a better model, as a person goes about it: frames captured by a rule, boxes proposed by tiles, reviewed over the API,
// a training run, its verdict, and the new version in use; the page shows each step.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import type { CaptureList } from "../../src/server/captures/capture-schemas.ts";
import type { ProposalsInfo } from "../../src/server/captures/proposal-schemas.ts";
import type { ModelInfo } from "../../src/server/models/model-schemas.ts";
import type { TrainingInfo } from "../../src/server/trainings/training-schemas.ts";
import { chromiumPath, launchBrowser, withPage } from "../support/browser.ts";
import { testData } from "../support/model.ts";
import { type Multibox, startMultibox } from "../support/multibox.ts";
import { until } from "../support/processes.ts";

const FRAMES = 30;
const video = testData("videos/vtest.avi");

async function screenshot(page: Page, name: string): Promise<void> {
  const folder = process.env["MULTIBOX_SCREENSHOTS"];
  if (folder) await page.screenshot({ path: join(folder, `one-camera-${name}.png`), fullPage: true });
}

async function send<T>(multibox: Multibox, method: string, path: string, body: object = {}): Promise<T> {
  const headers = { "content-type": "application/json" };
  const answer = await multibox.ask(path, { method, headers, body: JSON.stringify(body) });
  const told = (await answer.json()) as T;
  expect([answer.status, told]).toEqual([expect.toSatisfy((status: number) => status < 300), told]);
  return told;
}

async function get<T>(multibox: Multibox, path: string): Promise<T> {
  return (await (await multibox.ask(path)).json()) as T;
}

test.skipIf(!video || !chromiumPath)(
  "frames of a looped video become a version that is judged by its last frames, and used (needs the data and Chromium)",
  async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "multibox-one-camera-"));
    const browser = await launchBrowser();
    const multibox = await startMultibox(["--no-demo", "--stream", `yard=${video!}`], { MULTIBOX_DATA_DIR: dataDir });
    try {
      await withPage(browser, multibox.ready.url, async (page, complaints) => {
        const view = (name: string): Promise<void> => page.getByRole("link", { name }).click();
        await page.getByRole("article", { name: "Stream yard, live" }).waitFor();
        await screenshot(page, "1-live");

        // A fixed camera's frames all look alike, so none is left out for that.
        const capture = { everySeconds: 1, minGapSeconds: 0.5, skipSimilar: 0 };
        await send(multibox, "PATCH", "/v1/streams/yard", { capture });
        const fresh = (): Promise<CaptureList> => get(multibox, `/v1/captures?status=new&limit=${FRAMES}`);
        await until(async () => (await fresh()).total >= FRAMES);
        await send(multibox, "PATCH", "/v1/streams/yard", { capture: null });
        await view("Captures");
        await page.locator("[data-capture]").first().waitFor();
        await screenshot(page, "2-captures");

        await send(multibox, "POST", "/v1/captures/proposals", { regions: "3x2", labels: ["person"] });
        const proposals = (): Promise<ProposalsInfo> => get(multibox, "/v1/captures/proposals");
        await until(async () => (await proposals()).state !== "running");
        expect(await proposals()).toMatchObject({ state: "done", regions: "3x2", failed: 0 });
        const { captures } = await fresh();
        expect(captures.every(({ objects }) => objects.every(({ label }) => label === "person"))).toBe(true);
        await view("Live");
        await view("Captures");
        await page.locator("[data-capture]").first().waitFor();
        await screenshot(page, "3-proposals");

        // The last one has a box that nobody proposed.
        const added = { bbox: [10, 10, 40, 90], label: "person" };
        for (const [i, { id, objects }] of captures.entries()) {
          const all = i === captures.length - 1 ? [...objects, added] : objects;
          await send(multibox, "PATCH", `/v1/captures/${id}`, { status: "accepted", objects: all });
        }
        expect(await get(multibox, "/v1/captures/agreement")).toMatchObject({
          captures: captures.length,
          unchanged: captures.length - 1,
          removed: 0,
          added: 1,
        });
        await view("Live");
        await view("Captures");
        await page.getByRole("button", { name: "Accepted" }).click();
        await page.locator("[data-capture]").first().waitFor();
        await screenshot(page, "4-accepted");

        const { id } = await send<TrainingInfo>(multibox, "POST", "/v1/trainings", { settings: { epochs: 3 } });
        const training = (): Promise<TrainingInfo> => get(multibox, `/v1/trainings/${id}`);
        await view("Models");
        await until(async () => (await training()).progress?.step !== undefined);
        await page
          .getByText(/epoch \d of 3/i)
          .first()
          .waitFor();
        await screenshot(page, "5-training");
        await until(async () => !["queued", "running"].includes((await training()).state));
        const done = await training();
        expect(done).toMatchObject({
          state: "done",
          split: { by: "time", streams: 1 },
          verdict: { outcome: expect.stringMatching(/^(not )?(offered|judged)$/) as string },
          settings: { epochs: 3 },
        });
        const { training: learned, validation, gap } = done.split!;
        expect(learned + validation + gap).toBe(captures.length);
        // 50 objects at least, and a third of the images at most.
        expect(done.verdict!.images).toBe(validation);
        await page.getByText(done.verdict!.reason).first().waitFor();
        await screenshot(page, "6-verdict");

        const name = done.name;
        const version = `/v1/models/${name}/versions/${done.version!}`;
        const headers = { "content-type": "application/json" };
        const unforced = await multibox.ask(`${version}/activate`, { method: "POST", headers, body: "{}" });
        expect(unforced.status).toBe(done.verdict!.outcome === "offered" ? 200 : 409);
        await send(multibox, "POST", `${version}/activate`, { force: true });
        const models = await get<ModelInfo[]>(multibox, "/v1/models");
        expect(models.find((model) => model.name === name)?.inUse.version).toBe(done.version);
        const client = await multibox.connect("yard");
        try {
          const isNew = String(done.version);
          await client.until((message) => message.type === "detections" && message.model.version === isNew);
        } finally {
          client.socket.terminate();
        }
        await view("Live");
        await view("Models");
        await page.getByText("in use").first().waitFor();
        await screenshot(page, "7-in-use");
        expect(complaints).toEqual([]);
      });
    } finally {
      await browser.close();
      await multibox.stop();
      await rm(dataDir, { recursive: true, force: true });
    }
  },
);
