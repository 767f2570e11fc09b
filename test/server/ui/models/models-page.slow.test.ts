// A person makes a better model in a browser: starts a training, watches it, goes on when it has failed, looks at what it made, uses it.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { MultiboxError } from "../../../../src/errors.ts";
import type { ModelStore, VersionFacts } from "../../../../src/server/models/model-store.ts";
import type { TrainingRecord } from "../../../../src/server/trainings/training-record.ts";
import type { TrainingRunner, TrainingWork } from "../../../../src/server/trainings/trainings.ts";
import { randomBundle } from "../../../model/support/random-bundle.ts";
import { smallSpec } from "../../../model/support/small-spec.ts";
import { chromiumPath, launchBrowser, withPage } from "../../../support/browser.ts";
import { withServer } from "../../../support/test-server.ts";
import { capture } from "../../captures/support/capture.ts";

const TOKEN = "a-token-of-24-characters";
const FIGURES = { AP: 0.312, AP50: 0.534 };

async function screenshot(page: Page, name: string): Promise<void> {
  const folder = process.env["MULTIBOX_SCREENSHOTS"];
  if (!folder) return;
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    const file = `models-${name}-${page.viewportSize()!.width}-${colorScheme}.png`;
    await page.screenshot({ path: join(folder, file), fullPage: true });
  }
}

/** Presses a button of the open dialog, once it may be pressed, and waits until the dialog is gone: nothing under it can be reached before. */
async function answer(page: Page, name: string): Promise<void> {
  const dialog = page.getByRole("dialog");
  const button = dialog.getByRole("button", { name, exact: true });
  await expect.poll(() => button.isEnabled(), { timeout: 20_000 }).toBe(true);
  await button.press("Enter");
  await dialog.waitFor({ state: "detached" });
}

async function addVersions(versions: ModelStore): Promise<void> {
  const facts: VersionFacts = {
    created: "2026-01-01T12:00:00.000Z",
    parent: "red-finder",
    metrics: { AP: 0.347, AP50: 0.56 },
    parentMetrics: FIGURES,
    offered: true,
    data: { hash: "abc", pictures: 96 },
    settings: {},
  };
  const bundle = randomBundle(smallSpec());
  await versions.add("red-finder", bundle, facts);
  const worse = { metrics: { AP: 0.28, AP50: 0.5 }, parentMetrics: facts.metrics, offered: false };
  const { version } = await versions.add("red-finder", bundle, { ...facts, parent: "red-finder@1", ...worse });
  writeFileSync(join(versions.folderOf("red-finder", version), "report.html"), "<!doctype html><h1>All curves</h1>");
}

describe.skipIf(!chromiumPath)("the view Models (needs Chromium)", () => {
  it("starts a training, tells how far it is, goes on after a failure, and brings versions into use, by keys too", async () => {
    const works: { work: TrainingWork; end: (made: Partial<TrainingRecord>) => void; fail: (error: Error) => void }[] =
      [];
    const runTraining: TrainingRunner = (work) =>
      new Promise((end, fail) => {
        work.signal.addEventListener("abort", () => fail(new Error("It was aborted.")));
        works.push({ work, end, fail });
      });
    const work = async (): Promise<(typeof works)[number]> => {
      await expect.poll(() => works.length, { timeout: 20_000 }).toBe(1);
      return works.shift()!;
    };
    const browser = await launchBrowser();
    const deps = { uiDir: join(import.meta.dirname, "../../../../dist/ui") };
    try {
      await withServer(
        { deps, runTraining, config: { token: TOKEN } },
        async ({ url, trainings, captures, versions }) => {
          trainings.open();
          await withPage(browser, `${url}#token=${TOKEN}`, async (page, complaints) => {
            const models = page.getByRole("link", { name: "Models" });
            await models.click();
            await page.getByText("No capture has been accepted yet.").waitFor();
            await page.getByText("No trainings yet").waitFor();
            await page.getByRole("button", { name: "Start training" }).press("Enter");
            await page.getByText("There are no captures yet. Keep some, and review them on the page first.").waitFor();
            await screenshot(page, "empty");

            await addVersions(versions);
            for (const id of ["a", "b"]) await captures.add(capture(id), new Uint8Array(3));
            await captures.add(capture("c", { status: "new" }), new Uint8Array(3));
            await page.getByRole("link", { name: "Live" }).click();
            await models.click();
            await page.getByText("2 accepted captures").waitFor();
            await page.getByRole("link", { name: "review 1 more" }).waitFor();
            await page.getByRole("spinbutton", { name: "Epochs", exact: true }).fill("3");
            await page.getByLabel("The whole network").check();
            await page.getByRole("spinbutton", { name: "Epochs", exact: true }).press("Enter");
            const first = await work();
            expect(first.work.record).toMatchObject({
              name: "red-finder",
              captures: 2,
              settings: { epochs: 3, freeze: "none" },
            });
            const card = page.locator("[data-training]").first();
            const { onChange, onProgress } = first.work;
            onProgress({ phase: "looking", pictures: { done: 1, total: 2 }, seconds: 1 });
            await card.getByText("Reads the images: 1 of 2").waitFor();
            const epoch = { boxLoss: 0.5, classLoss: 1.25, lr: 0.002, seconds: 9, best: true };
            const history = [0.1, 0.29, 0.347].map((AP, i) => ({ ...epoch, epoch: i, figures: { AP, AP50: 0.5 } }));
            onChange({ engine: "onnx:cpu", pictures: { training: 1, validation: 1 }, parentMetrics: FIGURES });
            onChange({ history, metrics: { AP: 0.347 }, bestEpoch: 2, warnings: ["1 boxes are odd."] });
            const step = { step: 16, steps: 24, boxLoss: 0.41, classLoss: 1.02, secondsLeft: 65 };
            onProgress({ phase: "training", epoch: 3, epochs: 3, ...step, seconds: 9 });
            await card.getByText("Epoch 3 of 3 · step 16 of 24 · loss 0.410 box + 1.020 class · 1:05 left").waitFor();
            await card.getByRole("row", { name: "2 ▴ 0.500 1.250 34.7 50.0" }).waitFor();
            await card.getByText("AP 34.7 (+3.5) in epoch 2, the best").waitFor();
            await screenshot(page, "running");

            first.fail(new MultiboxError("DISK_FULL", "There is no space left.", "Make some."));
            await card.getByText("There is no space left. Make some.").waitFor();
            await card.getByRole("button", { name: "Resume the training of red-finder" }).press("Enter");
            const again = await work();
            await card.getByText("running").waitFor();
            again.end({ version: 2, metrics: { AP: 0.28 }, offered: false });
            await card.getByText("Made version 2 of red-finder; kept, but not offered, because it is worse").waitFor();

            const version = (number: number) => page.locator(`[data-version="${number}"]`);
            await version(2).getByText("28.0 (−6.7)").waitFor();
            const opening = page.context().waitForEvent("page");
            await page.getByRole("button", { name: "Report of version 2 of red-finder" }).first().click();
            const report = await opening;
            await report.getByRole("heading", { name: "All curves" }).waitFor();
            expect(report.url()).toMatch(/report\?ticket=[\w-]+$/);
            await report.close();

            await version(2).getByRole("button", { name: "Activate version 2 of red-finder" }).press("Enter");
            const dialog = page.getByRole("dialog", { name: "Use version 2 of red-finder?" });
            await dialog
              .getByText("It is not better than what its training began with: AP 28.0 instead of 34.7")
              .waitFor();
            await screenshot(page, "activate");
            await answer(page, "Activate all the same");
            await version(2).getByText("in use").waitFor();
            await page.getByRole("button", { name: "Back to version 0" }).press("Enter");
            await answer(page, "Go back");
            await version(0).getByText("in use").waitFor();
            expect(await version(2).getByRole("button", { name: "Delete" }).isDisabled()).toBe(true);
            await version(1).getByRole("button", { name: "Delete version 1 of red-finder" }).press("Enter");
            await answer(page, "Delete");
            await version(1).waitFor({ state: "detached" });

            await page.getByRole("spinbutton", { name: "Epochs", exact: true }).press("Enter");
            await work();
            await card.getByRole("button", { name: "Cancel" }).press("Enter");
            await answer(page, "Cancel the training");
            await card.getByText("cancelled").waitFor();
            const count = await page.locator("[data-training]").count();
            await card.getByRole("button", { name: "Delete the training of red-finder" }).press("Enter");
            await page.getByRole("dialog", { name: "Delete the training run of red-finder?" }).waitFor();
            await answer(page, "Keep");
            expect(await page.locator("[data-training]").count()).toBe(count);
            await page.setViewportSize({ width: 390, height: 800 });
            await screenshot(page, "all");
            expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
            // The browser tells of the refusal by itself.
            expect(complaints.filter((line) => !/status of 409/.test(line))).toEqual([]);
          });
        },
      );
    } finally {
      await browser.close();
    }
  });
});
