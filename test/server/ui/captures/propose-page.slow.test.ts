// A person has boxes proposed in a browser: the form by keys, how far it is, what came of it, a cancelled run, and what the agreement advises.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import type { ProposalEvent } from "../../../../src/server/captures/proposal-events.ts";
import type { ProposalRunner, ProposalsLook } from "../../../../src/server/captures/proposals.ts";
import { createToken } from "../../../../src/server/access/token-table.ts";
import { chromiumPath, launchBrowser, withPage } from "../../../support/browser.ts";
import { ffmpeg, makeFolder } from "../../../support/ffmpeg.ts";
import { memoryStore } from "../../../support/memory-store.ts";
import { testData } from "../../../support/model.ts";
import { withServer } from "../../../support/test-server.ts";
import { capture } from "../../captures/support/capture.ts";

const video = testData("videos/vtest.avi");
const BOX: [number, number, number, number] = [1, 2, 30, 20];
const REVIEW = { proposed: [{ bbox: BOX, score: 0.5, label: "red" }], objects: [{ bbox: BOX, label: "red" }] };

async function screenshot(page: Page, name: string): Promise<void> {
  const folder = process.env["MULTIBOX_SCREENSHOTS"];
  if (!folder) return;
  for (const colorScheme of ["light", "dark"] as const)
    for (const width of [1280, 400]) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 800 });
      await page.screenshot({ path: join(folder, `propose-${name}-${width}-${colorScheme}.png`) });
    }
}

async function frame(): Promise<Uint8Array> {
  const folder = await makeFolder();
  try {
    const file = join(folder.path, "frame.jpg");
    const input = video ? `-i ${video}` : "-f lavfi -i testsrc2=size=768x576:rate=1";
    await ffmpeg(input, "-frames:v 1 -qscale:v 2", file);
    return new Uint8Array(await readFile(file));
  } finally {
    await folder.remove();
  }
}

describe.skipIf(!chromiumPath)("proposals in the view Captures (needs Chromium)", () => {
  it("starts a run by keys, reports how far it is and what came of it, cancels one, and gives advice", async () => {
    const runs: { look: ProposalsLook; tell: (id: string) => void; end: () => void }[] = [];
    const runProposals: ProposalRunner = (look, signal, onEvent) =>
      new Promise((resolve, reject) => {
        signal.addEventListener("abort", () => reject(new Error("It was aborted.")));
        const proposed = [1, 2, 3].map((i) => ({ ...REVIEW.proposed[0]!, score: 1 / i }));
        const event = { event: "proposed", done: 0, total: 0, model: { name: "better", version: "2" }, proposed };
        runs.push({ look, tell: (id) => onEvent({ ...event, id } as ProposalEvent), end: resolve });
      });
    const jpeg = await frame();
    const browser = await launchBrowser();
    const store = memoryStore();
    const { token } = createToken(store.db, { name: "all", scope: "write" });
    const { token: reading } = createToken(store.db, { name: "reader", scope: "read" });
    const deps = { uiDir: join(import.meta.dirname, "../../../../dist/ui"), store };
    try {
      await withServer({ deps, runProposals }, async ({ url, captures }) => {
        await withPage(browser, `${url}#token=${token}`, async (page, complaints) => {
          await page.getByRole("link", { name: "Captures" }).click();
          const propose = page.getByRole("button", { name: "Propose boxes" }).first();
          await page.getByText("There are no captures to review.").waitFor();
          expect(await propose.isDisabled()).toBe(true);

          const facts = { ...REVIEW, status: "new" as const, width: 768, height: 576, bytes: jpeg.length };
          for (const id of ["a", "b", "c"]) await captures.add(capture(id, facts), jpeg);
          await page.getByRole("link", { name: "Live" }).click();
          await page.getByRole("link", { name: "Captures" }).click();
          await page.locator("[data-capture]").first().getByText("1 object").waitFor();
          await propose.press("Enter");
          const dialog = page.getByRole("dialog", { name: "Propose boxes" });
          await dialog.getByLabel("Model").selectOption("red-finder@0");
          await dialog.getByLabel("Tiles").selectOption("3x2");
          await screenshot(page, "form");
          await dialog.getByRole("button", { name: "Propose boxes" }).press("Enter");
          await page.getByText("Proposing boxes: 0 of 3").waitFor();
          expect(runs[0]!.look).toMatchObject({ model: "red-finder@0", regions: "3x2" });
          expect(await propose.isDisabled()).toBe(true);
          for (const id of ["a", "b"]) runs[0]!.tell(id);
          await page.getByText("Proposing boxes: 2 of 3").waitFor();
          await screenshot(page, "running");
          runs[0]!.tell("c");
          runs[0]!.end();
          await page.getByRole("status").getByText("3 captures have new proposals: 9 boxes, 3 before.").waitFor();
          await page.locator("[data-capture]").first().getByText("3 objects").waitFor();

          await propose.press("Enter");
          await dialog.getByRole("button", { name: "Propose boxes" }).press("Enter");
          await page.getByRole("button", { name: "Cancel the proposals" }).press("Enter");
          await page.getByRole("status").getByText("Cancelled. 0 captures have new proposals").waitFor();

          for (let i = 0; i < 20; i++) await captures.add(capture(`x${i}`, { ...facts, status: "accepted" }), jpeg);
          await page.reload();
          await page.getByText("Of 20 accepted captures, 20 needed no correction.").waitFor();
          await page.getByText("Review has become a formality").waitFor();
          await screenshot(page, "formality");
          expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
          expect(complaints).toEqual([]);
        });
        await withPage(browser, `${url}#token=${reading}`, async (page) => {
          await page.getByRole("link", { name: "Captures" }).click();
          await page.getByText("This page's token allows to look only").waitFor();
          expect(await page.getByRole("button", { name: "Propose boxes" }).isDisabled()).toBe(true);
        });
      });
    } finally {
      await browser.close();
      await store.close();
    }
  });
});
