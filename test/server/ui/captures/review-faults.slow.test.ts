// What must not go wrong while captures are reviewed in a browser: late images, slips of the hand, a server that is away, a second reviewer.
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CaptureInfo } from "../../../../src/server/captures/capture-schemas.ts";
import { chromiumPath, launchBrowser, withPage } from "../../../support/browser.ts";
import { found } from "../../../support/scripted-pipeline.ts";
import { withServer, type TestSetup } from "../../../support/test-server.ts";

const DEPS = { uiDir: join(import.meta.dirname, "../../../../dist/ui") };
const FULL = [1, 1, 318, 178] as const;

interface Reviewing extends Pick<TestSetup, "captures"> {
  readonly page: Page;
  readonly url: string;
  /** Oldest first. */
  readonly ids: readonly string[];
  readonly complaints: string[];
}

let browser: Browser;
beforeAll(async () => {
  if (chromiumPath) browser = await launchBrowser();
});
afterAll(() => browser?.close());

/** Opens the list of captures of streams cam0, cam1 and so on, each with a full-frame person. */
async function reviewing(count: number, run: (setup: Reviewing) => Promise<void>): Promise<void> {
  await withServer({ deps: DEPS }, async ({ url, pipeline, captures }) => {
    const ids: string[] = [];
    for (let i = 0; i < count; i++) {
      pipeline.addStream(`cam${i}`);
      pipeline.show(`cam${i}`, [{ ...found("person", 0.8), bbox: [...FULL] }]);
      const kept = await fetch(`${url}v1/streams/cam${i}/captures`, { method: "POST" });
      ids.push(((await kept.json()) as CaptureInfo).id);
    }
    await withPage(browser, `${url}#/captures`, (page, complaints) => run({ page, url, ids, captures, complaints }));
  });
}

const accept = (page: Page) => page.getByRole("button", { name: "Accept" });
const canvas = (page: Page) => page.getByRole("application", { name: "Boxes of this image" });
const statuses = (captures: TestSetup["captures"]): string[] => captures.list().map(({ status }) => status);

/** Drags between two points, in shares of the image. */
async function drag(page: Page, from: readonly [number, number], to: readonly [number, number]): Promise<void> {
  const { x, y, width, height } = (await canvas(page).boundingBox())!;
  await page.mouse.move(x + from[0] * width, y + from[1] * height);
  await page.mouse.down();
  await page.mouse.move(x + to[0] * width, y + to[1] * height, { steps: 4 });
  await page.mouse.up();
}

async function screenshot(page: Page, name: string): Promise<void> {
  const folder = process.env["MULTIBOX_SCREENSHOTS"];
  if (folder) await page.screenshot({ path: join(folder, `review-${name}.png`) });
}

describe.skipIf(!chromiumPath)("the review of captures (needs Chromium)", () => {
  it("shows, changes and accepts nothing of a capture before its own image is on the screen", async () => {
    await reviewing(3, async ({ page, ids, captures }) => {
      let release = (): void => {};
      const held = new Promise<void>((resolve) => (release = resolve));
      await page.route(`**/captures/${ids[1]}/picture.jpg`, async (route) => {
        await held;
        await route.continue();
      });
      let missing = true;
      await page.route(`**/captures/${ids[2]}/picture.jpg`, (route) => (missing ? route.abort() : route.continue()));
      await page.locator("[data-capture]").first().click();
      await page.getByRole("heading", { name: "cam0" }).waitFor();
      await canvas(page).waitFor();
      await page.keyboard.press("n");
      await page.getByText("Loading the image…").waitFor();
      await screenshot(page, "loading");
      expect(await page.getByRole("heading", { name: /cam/ }).count()).toBe(0);
      expect(await canvas(page).count()).toBe(0);
      expect(await page.locator(".review-picture img").count()).toBe(0);
      expect(await accept(page).isDisabled()).toBe(true);
      for (const key of ["Enter", "a", "s", "b", "Delete"]) await page.keyboard.press(key);
      release();
      await page.getByRole("heading", { name: "cam1" }).waitFor();
      await canvas(page).waitFor();
      expect(statuses(captures)).toEqual(["new", "new", "new"]);
      await page.keyboard.press("Enter");
      await page.getByText("The image could not be loaded.").waitFor();
      await screenshot(page, "failed");
      await expect.poll(() => statuses(captures), { timeout: 20_000 }).toEqual(["new", "accepted", "new"]);
      await page.keyboard.press("Enter");
      expect(await accept(page).isDisabled()).toBe(true);
      missing = false;
      await page.getByRole("button", { name: "Try again" }).click();
      await page.getByRole("heading", { name: "cam2" }).waitFor();
      expect(statuses(captures)).toEqual(["new", "accepted", "new"]);
    });
  });

  it("loads the images of the neighbours ahead", async () => {
    await reviewing(3, async ({ page, ids }) => {
      const asked: string[] = [];
      page.on("request", (request) => {
        const id = /captures\/([^/]+)\/picture\.jpg$/.exec(request.url())?.[1];
        if (id !== undefined) asked.push(id);
      });
      await page.locator("[data-capture]").first().click();
      await expect.poll(() => asked, { timeout: 20_000 }).toEqual([ids[0], ids[1]]);
      await page.keyboard.press("n");
      await expect.poll(() => asked, { timeout: 20_000 }).toEqual([...ids]);
    });
  });

  it("L selects the old label; a label that nothing has yet is asked about, with what it may have been meant to be", async () => {
    await reviewing(2, async ({ page, captures }) => {
      await page.locator("[data-capture]").first().click();
      await canvas(page).click();
      await page.keyboard.press("l");
      await page.keyboard.type("bicycle");
      await page.keyboard.press("Enter");
      const dialog = (label: string) => page.getByRole("dialog", { name: `Add the new label "${label}"?` });
      await dialog("bicycle").getByRole("button", { name: 'Add "bicycle"' }).click();
      await expect.poll(() => captures.list()[0]!.objects[0]!.label, { timeout: 20_000 }).toBe("bicycle");

      // A slip, left by a click on Accept: it is asked about, and nothing is accepted meanwhile.
      await page.keyboard.press("l");
      await page.keyboard.press("End");
      await page.keyboard.type("person");
      await accept(page).click();
      await dialog("bicycleperson").waitFor();
      await screenshot(page, "new-label");
      expect(statuses(captures)).toEqual(["new", "new"]);
      await page.keyboard.press("Escape");
      await dialog("bicycleperson").waitFor({ state: "detached" });
      await page.keyboard.press("l");
      await page.keyboard.type("persn");
      await page.keyboard.press("Enter");
      await dialog("persn").getByRole("button", { name: "Use person" }).click();
      await expect.poll(() => captures.list()[0]!.objects[0]!.label, { timeout: 20_000 }).toBe("person");
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { name: "cam1" }).waitFor();
      await expect.poll(() => statuses(captures), { timeout: 20_000 }).toEqual(["accepted", "new"]);
      expect(captures.list()[0]!.objects.map(({ label }) => label)).toEqual(["person"]);
    });
  });

  it("draws inside of a box; only the selected one is moved; a pressed button leaves the keys to the image", async () => {
    await reviewing(2, async ({ page, captures }) => {
      await page.locator("[data-capture]").first().click();
      await canvas(page).waitFor();
      const boxes = (): number[][] => captures.list()[0]!.objects.map(({ bbox }) => bbox.map(Math.round));
      await drag(page, [0.25, 0.25], [0.5, 0.5]);
      await expect.poll(() => boxes(), { timeout: 20_000 }).toEqual([[...FULL], [80, 45, 80, 45]]);
      // The new one is selected, so that a drag in it moves it; with D it draws.
      await drag(page, [0.3, 0.3], [0.35, 0.3]);
      await expect.poll(() => boxes()[1], { timeout: 20_000 }).toEqual([96, 45, 80, 45]);
      await page.keyboard.press("d");
      await drag(page, [0.35, 0.3], [0.45, 0.4]);
      await expect.poll(() => boxes()[2], { timeout: 20_000 }).toEqual([112, 54, 32, 18]);
      await page.keyboard.press("d");
      // A click selects, the smallest first; then it can be dragged.
      await page.keyboard.press("Escape");
      const { x, y, width, height } = (await canvas(page).boundingBox())!;
      await page.mouse.click(x + 0.9 * width, y + 0.9 * height);
      await drag(page, [0.9, 0.9], [0.9, 0.85]);
      await expect.poll(() => boxes()[0], { timeout: 20_000 }).toEqual([1, 0, 318, 178]);
      // By keys alone.
      await page.keyboard.press("b");
      await page.keyboard.press("Shift+ArrowRight");
      await page.keyboard.press("Alt+ArrowDown");
      await expect.poll(() => boxes()[3], { timeout: 20_000 }).toEqual([130, 68, 80, 46]);
      await screenshot(page, "boxes");

      // Every button that is pressed leaves Enter to the image.
      await page.getByRole("button", { name: "Undo" }).click();
      await page.getByRole("button", { name: "Delete box 4" }).click();
      await page.getByRole("button", { name: "Draw" }).click();
      await page.getByRole("button", { name: "Draw" }).click();
      const before = boxes().length;
      await page.getByRole("button", { name: "Undo" }).click();
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { name: "cam1" }).waitFor();
      await expect.poll(() => statuses(captures), { timeout: 20_000 }).toEqual(["accepted", "new"]);
      expect(boxes().length).toBeGreaterThanOrEqual(before);
      // Tab is the browser's: it reaches a button, which has its own Enter.
      await accept(page).focus();
      await page.keyboard.press("Enter");
      await expect.poll(() => statuses(captures), { timeout: 20_000 }).toEqual(["accepted", "accepted"]);
    });
  });

  it("keeps what could not be saved, over a reload too, names its capture, and saves it when the server is back", async () => {
    await reviewing(2, async ({ page, ids, captures }) => {
      let isAway = true;
      await page.route(`**/v1/captures/${ids[0]}`, (route) =>
        isAway && route.request().method() === "PATCH" ? route.abort() : route.continue(),
      );
      await page.locator("[data-capture]").first().click();
      await canvas(page).waitFor();
      await drag(page, [0.25, 0.25], [0.5, 0.5]);
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { name: "cam1" }).waitFor();
      await page.getByText("1 capture is not saved. Keep this page open.").waitFor();
      const link = page.getByRole("link", { name: /^cam0, / });
      await link.waitFor();
      // Nothing of it is said of the capture that is open now.
      expect(await page.locator(".review .problem").count()).toBe(0);
      await screenshot(page, "unsaved");
      let warned = 0;
      page.on("dialog", (dialog) => {
        warned += Number(dialog.type() === "beforeunload");
        void dialog.accept();
      });
      await page.reload();
      expect(warned).toBe(1);
      await link.click();
      await page.getByRole("heading", { name: "cam0" }).waitFor();
      expect(await page.getByRole("combobox").count()).toBe(2);
      expect(statuses(captures)).toEqual(["new", "new"]);
      isAway = false;
      await expect.poll(() => statuses(captures), { timeout: 30_000 }).toEqual(["accepted", "new"]);
      expect(captures.list()[0]!.objects).toHaveLength(2);
      await page.getByText("saved", { exact: true }).waitFor();
      await page.reload();
      expect(warned).toBe(1);
    });
  });

  it("a second reviewer's boxes are not replaced silently: both are shown, and one chooses", async () => {
    await reviewing(1, async ({ page, url, ids, captures }) => {
      const other = async (label: string): Promise<void> => {
        const objects = [{ bbox: [10, 10, 50, 50], label }];
        const body = JSON.stringify({ status: "accepted", objects });
        const headers = { "content-type": "application/json" };
        expect((await fetch(`${url}v1/captures/${ids[0]}`, { method: "PATCH", headers, body })).status).toBe(200);
      };
      await page.locator("[data-capture]").first().click();
      await canvas(page).waitFor();
      await other("dog");
      await drag(page, [0.6, 0.6], [0.8, 0.8]);
      await page.getByText(/^Somebody else has changed this capture/).waitFor();
      await canvas(page).getByText("dog (theirs)").waitFor();
      await screenshot(page, "conflict");
      expect(captures.list()[0]!.objects.map(({ label }) => label)).toEqual(["dog"]);
      await page.getByRole("button", { name: "Keep mine" }).click();
      await expect.poll(() => captures.list()[0]!.objects.length, { timeout: 20_000 }).toBe(2);

      await other("cat");
      await page.keyboard.press("b");
      await page.getByRole("button", { name: "Take theirs" }).click();
      await expect.poll(() => page.getByRole("combobox").count(), { timeout: 20_000 }).toBe(1);
      expect(await page.getByRole("combobox").inputValue()).toBe("cat");
      expect(captures.list()[0]!.objects.map(({ label }) => label)).toEqual(["cat"]);
      await page.getByText("saved", { exact: true }).waitFor();
      await page.setViewportSize({ width: 390, height: 800 });
      await screenshot(page, "phone");
      expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
    });
  });
});
