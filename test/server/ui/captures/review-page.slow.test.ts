// A person goes through captures in a browser: draws a box, names it, undoes, accepts; the data set has what was drawn.
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openCaptures } from "../../../../src/training/capture-set.ts";
import { chromiumPath, launchBrowser, withPage } from "../../../support/browser.ts";
import { found } from "../../../support/scripted-pipeline.ts";
import { withServer, type TestOptions } from "../../../support/test-server.ts";

const PAGE: TestOptions = { deps: { uiDir: join(import.meta.dirname, "../../../../dist/ui") } };

describe.skipIf(!chromiumPath)("the view Captures (needs Chromium)", () => {
  it("draws a box with the mouse, changes it by keys, and accepts it into the data set", async () => {
    const browser = await launchBrowser();
    try {
      await withServer(PAGE, async ({ url, pipeline, captures }) => {
        pipeline.addStream("yard");
        pipeline.show("yard", [found("dog", 0.8)]);
        await fetch(`${url}v1/streams/yard/captures`, { method: "POST" });
        await withPage(browser, `${url}#/captures`, async (page, complaints) => {
          await page.locator("[data-capture]").click();
          const canvas = page.getByRole("application", { name: "Boxes of this image" });
          const { x, y, width, height } = (await canvas.boundingBox())!;
          const at = (share: number, side: number, size: number): number => side + share * size;
          await page.mouse.move(at(0.5, x, width), at(0.5, y, height));
          await page.mouse.down();
          await page.mouse.move(at(0.6, x, width), at(0.6, y, height), { steps: 3 });
          await page.mouse.move(at(0.75, x, width), at(0.75, y, height));
          await page.mouse.up();
          // The box is saved while its label is being typed, which stays as far as it has come; Escape takes back what was typed.
          const label = page.getByRole("combobox", { name: "Label of box 2" });
          await label.fill("wo");
          await page.getByText("saved", { exact: true }).waitFor();
          expect(await label.inputValue()).toBe("wo");
          await label.press("Escape");
          expect(await label.inputValue()).not.toBe("wo");
          await label.fill("wolf");
          await label.press("Enter");
          await page.getByRole("button", { name: 'Add "wolf"' }).click();
          // The proposal goes, comes back, and goes again.
          await page.keyboard.press("]");
          await page.keyboard.press("Delete");
          await page.keyboard.press("Control+z");
          expect(await page.getByRole("combobox").count()).toBe(2);
          await page.keyboard.press("Control+Shift+z");
          expect(await page.getByRole("combobox").count()).toBe(1);
          if (process.env["MULTIBOX_SCREENSHOTS"])
            await page.screenshot({ path: join(process.env["MULTIBOX_SCREENSHOTS"], "review.png") });
          await page.keyboard.press("Enter");
          await page.getByText("accepted").first().waitFor();
          await expect.poll(() => captures.list()[0]!.status, { timeout: 20_000 }).toBe("accepted");
          const { pictures, categories } = await openCaptures({ folder: captures.folder });
          expect(categories.map(({ name }) => name)).toEqual(["wolf"]);
          expect(pictures[0]!.objects).toHaveLength(1);
          // Half a picture's width from the left, a quarter wide; to the screen's pixel.
          for (const [i, wanted] of [160, 90, 80, 45].entries())
            expect(Math.abs(pictures[0]!.objects[0]!.bbox[i]! - wanted)).toBeLessThan(2);
          expect(complaints).toEqual([]);
        });
      });
    } finally {
      await browser.close();
    }
  });
});
