// The page when things are not well: no streams, broken streams, a server that goes and comes back, a token.
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MultiboxError } from "../../../src/errors.ts";
import { createToken } from "../../../src/server/access/token-table.ts";
import { chromiumPath, launchBrowser, withPage } from "../../support/browser.ts";
import { withServer, type TestOptions } from "../../support/test-server.ts";

const PAGE: TestOptions = { deps: { uiDir: join(import.meta.dirname, "../../../dist/ui") } };

describe.skipIf(!chromiumPath)("the page (needs Chromium)", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());

  it("explains how to add a camera while there is none", async () => {
    await withServer(PAGE, async ({ url, pipeline }) => {
      await withPage(browser, url, async (page) => {
        await page.getByRole("heading", { name: "No streams yet" }).waitFor();
        expect(await page.getByRole("main").textContent()).toContain("rtsp://");
        pipeline.addStream("yard");
        await page.getByRole("article", { name: "Stream yard, connecting" }).waitFor();
      });
    });
  });

  it("says in plain view what is wrong with a stream and what to do, and takes it back when all is well", async () => {
    await withServer(PAGE, async ({ url, pipeline }) => {
      pipeline.addStream("gate", "rtsp://user:hunter2@192.0.2.7/live");
      await withPage(browser, url, async (page) => {
        await page.getByRole("article", { name: "Stream gate, connecting" }).waitFor();
        const error = new MultiboxError("STREAM_AUTH_FAILED", "The camera refused the password.", "Check it.");
        pipeline.setStatus("gate", { state: "misconfigured", error });
        const tile = page.getByRole("article", { name: "Stream gate, misconfigured" });
        await tile.getByText("The camera refused the password.").waitFor();
        await tile.getByText("Check it.").waitFor();
        expect(await page.content()).not.toContain("hunter2");
        pipeline.setStatus("gate", { state: "live", error: undefined });
        await page.getByRole("article", { name: "Stream gate, live" }).waitFor();
        expect(await page.getByText("The camera refused").count()).toBe(0);
      });
    });
  });

  it("goes back to the tiles when the stream at full size is removed", async () => {
    await withServer(PAGE, async ({ url, pipeline }) => {
      for (const id of ["yard", "gate"]) pipeline.addStream(id);
      await withPage(browser, `${url}#/live/gate`, async (page) => {
        await page.getByRole("button", { name: "Back to all streams" }).waitFor();
        await pipeline.remove("gate");
        await page.getByRole("article", { name: "Stream yard" }).waitFor();
        await expect.poll(() => new URL(page.url()).hash, { timeout: 30_000 }).toBe("#/");
      });
    });
  });

  it("says that the server is gone, and goes on by itself when it is back", async () => {
    let port = 0;
    await withServer(PAGE, async (first) => {
      port = first.port;
      first.pipeline.addStream("yard");
      await withPage(browser, first.url, async (page, complaints) => {
        await page.getByRole("article", { name: "Stream yard" }).waitFor();
        await first.close();
        await page.getByText("No connection to the server.").waitFor();
        await page.getByText("was connecting").waitFor();
        await withServer({ ...PAGE, config: { port } }, async ({ pipeline }) => {
          pipeline.addStream("gate");
          await page.getByText("connected", { exact: true }).waitFor();
          await page.getByRole("article", { name: "Stream gate" }).waitFor();
          expect(await page.getByRole("article", { name: "Stream yard" }).count()).toBe(0);
        });
        // The browser itself notes each attempt that found nobody; the page adds nothing.
        expect(complaints.filter((text) => !/ERR_|WebSocket connection/.test(text))).toEqual([]);
      });
    });
  });

  it("pauses and changes a stream by keys, and has no such buttons for a token of scope read", async () => {
    await withServer({ ...PAGE, config: { token: "a-token-for-this-test" } }, async ({ url, pipeline, store }) => {
      pipeline.addStream("yard", "rtsp://user:hunter2@192.0.2.7/live");
      await withPage(browser, `${url}#token=a-token-for-this-test`, async (page, complaints) => {
        await page.getByRole("button", { name: "Pause yard" }).press("Enter");
        await page.getByRole("article", { name: "Stream yard, paused" }).waitFor();
        await page.getByRole("button", { name: "Resume yard" }).press("Enter");
        await page.getByRole("article", { name: "Stream yard, connecting" }).waitFor();
        await page.getByRole("button", { name: "Edit yard" }).press("Enter");
        const dialog = page.getByRole("dialog", { name: "Edit yard" });
        await dialog.getByLabel("Frames/s").fill("5");
        await dialog.getByLabel("Labels").fill("unicorn");
        await dialog.getByLabel("Labels").press("Enter");
        await dialog.getByRole("alert").filter({ hasText: 'no label "unicorn"' }).waitFor();
        expect(complaints.splice(0)).toEqual([expect.stringContaining("400")]);
        await dialog.getByLabel("Labels").fill("");
        await page.keyboard.press("Enter");
        await dialog.waitFor({ state: "detached" });
        expect(await page.evaluate("document.activeElement.ariaLabel")).toBe("Edit yard");
        const { url: kept, maxFps } = pipeline.status("yard").config;
        expect([kept, maxFps]).toEqual(["rtsp://user:hunter2@192.0.2.7/live", 5]);
        expect(complaints).toEqual([]);
      });
      const reader = createToken(store.db, { name: "reader", scope: "read" });
      await withPage(browser, `${url}#token=${reader.token}`, async (page) => {
        await page.getByRole("button", { name: "Enlarge yard" }).waitFor();
        expect(await page.getByRole("button", { name: /Pause|Edit|Remove|Capture|Add/ }).count()).toBe(0);
        await page.getByRole("link", { name: "Models" }).click();
        await page.getByText("trainings are started with one of the scope admin").waitFor();
        expect(await page.getByRole("button", { name: /Start|Activate|Back/ }).count()).toBe(0);
      });
    });
  });

  it("asks for the token where the server wants one, and puts it into no address, that of its WebSocket neither", async () => {
    const token = "a-token-for-this-test";
    await withServer({ ...PAGE, config: { token } }, async ({ url, pipeline }) => {
      pipeline.addStream("yard");
      await withPage(browser, `${url}#token=${token}`, async (page) => {
        await page.getByRole("article", { name: "Stream yard" }).waitFor();
        expect(page.url()).toBe(url);
        const asked: string[] = [];
        page.on("request", (request) => asked.push(request.url()));
        page.on("websocket", (socket) => asked.push(socket.url()));
        await page.reload();
        await page.getByRole("article", { name: "Stream yard" }).waitFor();
        expect(asked.filter((address) => /detections\?ticket=[\w-]+$/.test(address))).toHaveLength(1);
        expect(asked.filter((address) => address.includes(token))).toEqual([]);
      });
      await withPage(browser, url, async (page) => {
        await page.getByLabel("Token", { exact: true }).fill("a-wrong-token-for-this");
        await page.getByRole("button", { name: "Connect" }).click();
        await page.getByText("The token that this page has is not the server's.").waitFor();
        await page.getByLabel("Token", { exact: true }).fill(token);
        await page.getByRole("button", { name: "Connect" }).click();
        await page.getByRole("article", { name: "Stream yard" }).waitFor();
      });
    });
  });
});
