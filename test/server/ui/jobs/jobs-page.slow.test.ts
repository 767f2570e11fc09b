// A person annotates a video in a browser: chooses it and what comes out, watches, downloads, and cancels another one.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { findFfmpeg } from "../../../../src/pipeline/find-ffmpeg.ts";
import { createGuard } from "../../../../src/pipeline/guard.ts";
import type { JobRunner, JobWork } from "../../../../src/server/jobs/jobs.ts";
import { chromiumPath, launchBrowser, withPage } from "../../../support/browser.ts";
import { ffmpeg, makeFolder, testPicture } from "../../../support/ffmpeg.ts";
import { withServer } from "../../../support/test-server.ts";

const TOKEN = "a-token-of-24-characters";

async function screenshot(page: Page, name: string): Promise<void> {
  const folder = process.env["MULTIBOX_SCREENSHOTS"];
  if (folder) await page.screenshot({ path: join(folder, name), fullPage: true });
}

describe.skipIf(!chromiumPath)("the view Jobs (needs Chromium)", () => {
  it("uploads a video, shows how far it is, downloads a result, cancels and deletes; on a telephone too", async () => {
    const folder = await makeFolder();
    const browser = await launchBrowser();
    const clip = join(folder.path, "yard at night.mp4");
    await ffmpeg(testPicture("64x48", 10, 1), "-pix_fmt yuv420p", folder.path + "/clip.mp4");
    writeFileSync(clip, readFileSync(`${folder.path}/clip.mp4`));
    const works: { work: JobWork; end: () => void }[] = [];
    const runJob: JobRunner = (work) =>
      new Promise((resolve, reject) => {
        work.signal.addEventListener("abort", () => reject(new Error("It was aborted.")));
        works.push({ work, end: () => resolve({ frames: 10, detections: 1234 }) });
      });
    const deps = {
      uiDir: join(import.meta.dirname, "../../../../dist/ui"),
      jobTools: { ffmpeg: await findFfmpeg(), guard: createGuard(), model: () => "red-finder" },
    };
    try {
      await withServer({ deps, runJob, config: { token: TOKEN } }, async ({ url, jobs }) => {
        jobs.open();
        const look = async (page: Page, complaints: string[]): Promise<void> => {
          await page.getByRole("link", { name: "Jobs" }).click();
          await page.getByRole("checkbox", { name: "CSV" }).check();
          await page.getByText("Which frames and objects").click();
          await page.getByLabel("Every nth frame").fill("2");
          await page.getByLabel("Videos").setInputFiles([clip]);
          const card = page.locator("[data-job]").first();
          await card.getByText("yard at night.mp4").waitFor();
          await expect.poll(() => works.length, { timeout: 20_000 }).toBe(1);
          const { work, end } = works.shift()!;
          expect(work.record.options).toEqual({ out: ["video", "jsonl", "csv"], every: 2 });
          work.onProgress({ phase: "detecting", frames: 4, framesPerSecond: 2.5, percent: 80, secondsLeft: 70 });
          await card.getByText("4 of about 5 frames · 2.5 frames/s · 1:10 left").waitFor();
          expect(await card.getByRole("progressbar").getAttribute("value")).toBe("0.8");
          await screenshot(page, `jobs-${page.viewportSize()!.width}.png`);
          mkdirSync(join(work.folder, "results"));
          writeFileSync(join(work.folder, "results", "yard at night.csv"), "found");
          end();
          const downloading = page.waitForEvent("download");
          await card.getByRole("button", { name: "csv 5 bytes" }).click();
          const download = await downloading;
          expect([download.suggestedFilename(), readFileSync(await download.path(), "utf8")]).toEqual([
            "yard at night.csv",
            "found",
          ]);
          expect(await card.textContent()).toContain("10 frames, 1,234 detections");

          await page.getByLabel("Videos").setInputFiles([clip]);
          const second = page.locator("[data-job]").first();
          await second.getByRole("button", { name: "Cancel" }).click();
          await page.getByRole("button", { name: "Cancel the job" }).click();
          await second.getByText("cancelled").waitFor();
          await page
            .getByLabel("Videos")
            .setInputFiles([{ name: "notes.mp4", mimeType: "video/mp4", buffer: Buffer.from("no video") }]);
          await page.getByText(/^notes\.mp4: "notes\.mp4" /).waitFor();
          await screenshot(page, `jobs-done-${page.viewportSize()!.width}.png`);
          expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
          for (let left = 2; left > 0; left--) {
            const remove = page.getByRole("button", { name: /^Delete / }).first();
            // Not where Cancel was, and not without a question.
            expect(await remove.evaluate((button) => button.closest(".job-head"))).toBeNull();
            await remove.click();
            const dialog = page.getByRole("dialog", { name: /^Delete the job of / });
            await dialog.getByRole("button", { name: "Keep" }).click();
            expect(await page.locator("[data-job]").count()).toBe(left);
            await remove.click();
            await dialog.getByRole("button", { name: "Delete", exact: true }).click();
            await expect.poll(() => page.locator("[data-job]").count(), { timeout: 20_000 }).toBe(left - 1);
          }
          await page.getByText("No jobs yet").waitFor();
          // The browser tells of the refusal by itself.
          expect(complaints.filter((line) => !/status of 400/.test(line))).toEqual([]);
          works.length = 0;
        };
        await withPage(browser, `${url}#token=${TOKEN}`, look);
        await withPage(browser, `${url}#token=${TOKEN}`, look, { width: 360 });
      });
    } finally {
      await browser.close();
      await folder.remove();
    }
  });
});
