// The page in a real browser, at the real server with the demo: what a new user sees and does.
import { dirname } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { demoClip } from "../../src/demo-clip.ts";
import { canvasChanges, canvasHash, chromiumPath, launchBrowser, withPage } from "../support/browser.ts";
import { testCacheDir } from "../support/model.ts";
import { startMultibox, type Multibox } from "../support/multibox.ts";

/** For what a busy machine takes long to do. */
const PATIENT = { timeout: 30_000 };

describe.skipIf(!chromiumPath)("the page of multibox serve (needs Chromium)", () => {
  let demo: string;
  let multibox: Multibox;
  let browser: Browser;

  beforeAll(async () => {
    demo = await demoClip(testCacheDir());
    multibox = await startMultibox(["--file-roots", dirname(demo)]);
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await multibox?.stop();
  });

  const tile = (page: Page, id = "demo"): ReturnType<Page["locator"]> => page.locator(`article[data-stream="${id}"]`);
  const carChip = (page: Page): ReturnType<Page["locator"]> => tile(page).getByRole("button", { name: /^car \d/ });

  it("shows the demo live, its picture, its cars and its rates, and the console stays silent", async () => {
    await withPage(browser, multibox.ready.url, async (page, complaints) => {
      await page.getByRole("article", { name: "Stream demo, live" }).waitFor();
      await expect.poll(() => canvasChanges(page), PATIENT).toBeGreaterThan(50);
      await carChip(page).waitFor();
      await expect.poll(() => tile(page).textContent(), PATIENT).toMatch(/Detected ?[1-9][\d.]* of [1-9][\d.]* fps/);
      expect(await tile(page).textContent()).toMatch(/Delay ?\d+ ms.*1280×720.*Dropped ?[\d,]+/);
      expect(await tile(page).getByRole("img").getAttribute("aria-label")).toMatch(/^Picture of demo: /);
      expect(await page.getByRole("banner").textContent()).toContain(multibox.ready.model.name);
      expect(complaints).toEqual([]);
    });
  });

  it("draws the boxes on the frozen picture anew when the score is changed", async () => {
    await withPage(browser, multibox.ready.url, async (page, complaints) => {
      await carChip(page).waitFor();
      await page.getByRole("button", { name: "Freeze" }).click();
      await page.getByText("frozen").waitFor();
      // A picture that was on its way may still be drawn.
      let before = await canvasHash(page);
      await expect
        .poll(async () => before === (before = await canvasHash(page)), { ...PATIENT, interval: 300 })
        .toBe(true);
      await page.getByLabel("Score from").fill("1");
      await page.getByText("nothing in sight").waitFor();
      await expect.poll(() => canvasHash(page), PATIENT).not.toBe(before);
      await page.getByLabel("Score from").fill("0.5");
      await expect.poll(() => canvasHash(page), PATIENT).toBe(before);
      expect(complaints).toEqual([]);
    });
  });

  it("shows only the labels that were chosen, and says so when the model has no such label", async () => {
    await withPage(browser, multibox.ready.url, async (page) => {
      await carChip(page).waitFor();
      const labels = page.getByLabel("Labels", { exact: true });
      await labels.fill("flying carpet");
      await labels.press("Enter");
      await page.getByText("The model has no label “flying carpet”.").waitFor();
      await labels.fill("Toaster");
      await labels.press("Enter");
      await page.getByText("nothing in sight").waitFor();
      expect(await page.getByText("has no label").count()).toBe(0);
      await page.getByRole("button", { name: "Show toaster no more" }).click();
      await carChip(page).waitFor();
    });
  });

  it("is worked by keys alone: into full size, back, and on to the next tile", async () => {
    await multibox.add({ id: "second", url: demo });
    await withPage(browser, multibox.ready.url, async (page, complaints) => {
      await tile(page, "second").waitFor();
      const focused = async (): Promise<unknown> => page.evaluate("document.activeElement.dataset.stream");
      for (let tabs = 0; (await focused()) !== "demo" && tabs < 20; tabs += 1) await page.keyboard.press("Tab");
      await page.keyboard.press("ArrowRight");
      expect(await focused()).toBe("second");
      await page.keyboard.press("Enter");
      await page.getByText("In this picture").waitFor();
      expect(new URL(page.url()).hash).toBe("#/live/second");
      expect(await page.locator("article").count()).toBe(1);
      await page.keyboard.press("ArrowLeft");
      await tile(page).waitFor();
      await expect.poll(() => page.getByRole("cell", { name: "car" }).count(), PATIENT).toBeGreaterThan(0);
      await page.keyboard.press("Escape");
      await tile(page, "second").waitFor();
      await expect.poll(focused, PATIENT).toBe("demo");
      expect(complaints).toEqual([]);
    });
    await multibox.ask("/v1/streams/second", { method: "DELETE" });
  });

  it("adds and removes a stream, with the server's own words where it refuses", async () => {
    await withPage(browser, multibox.ready.url, async (page, complaints) => {
      await tile(page).waitFor();
      await page.getByRole("button", { name: "Add stream" }).click();
      const dialog = page.getByRole("dialog", { name: "Add stream" });
      await dialog.getByLabel("Name").fill("yard");
      await dialog.getByLabel("Address").fill("/etc/passwd");
      await dialog.getByLabel("Address").press("Enter");
      await dialog.getByRole("alert").filter({ hasText: '"/etc/passwd" is in none of the folders' }).waitFor();
      // The browser itself writes the refusal into the console; nothing else is there.
      expect(complaints.splice(0)).toEqual([expect.stringContaining("403")]);

      await dialog.getByLabel("Address").fill(demo);
      await dialog.getByRole("button", { name: "Add stream" }).click();
      await page.getByRole("article", { name: "Stream yard, live" }).waitFor();
      expect(await dialog.count()).toBe(0);
      expect((await multibox.streams()).map(({ id }) => id)).toEqual(["demo", "yard"]);

      await page.getByRole("button", { name: "Remove yard" }).click();
      await page.getByRole("dialog", { name: "Remove yard?" }).getByRole("button", { name: "Remove" }).click();
      await tile(page, "yard").waitFor({ state: "detached" });
      expect((await multibox.streams()).map(({ id }) => id)).toEqual(["demo"]);
      expect(complaints).toEqual([]);
    });
  });

  it.each([360, 1920])("fits a window %i pixels wide, tiles and full size", async (width) => {
    const overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
    await withPage(
      browser,
      multibox.ready.url,
      async (page) => {
        await carChip(page).waitFor();
        expect(await page.evaluate(overflow)).toBe(0);
        await tile(page).locator("canvas").click();
        await page.getByText("In this picture").waitFor();
        expect(await page.evaluate(overflow)).toBe(0);
      },
      { width, height: 740 },
    );
  });
});
