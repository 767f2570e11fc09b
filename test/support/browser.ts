// The system's Chromium, for tests of the page; what a page complains about is kept.
import { existsSync } from "node:fs";
import { chromium, type Browser, type Page } from "playwright-core";

/** Undefined where there is none: such tests are skipped by name. */
export const chromiumPath: string | undefined = [
  process.env["CHROMIUM_PATH"],
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
].find((path) => path !== undefined && path !== "" && existsSync(path));

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: chromiumPath!, headless: true, args: FLAGS });
}

export interface PageOptions {
  readonly width?: number;
  readonly height?: number;
}

/**
 * Opens a page in a context of its own and closes it after the test. `complaints` are the console's errors and
 * warnings, which violations of the content security policy are among, and what was thrown and not caught.
 */
export async function withPage(
  browser: Browser,
  url: string,
  run: (page: Page, complaints: string[]) => Promise<void>,
  { width = 1200, height = 800 }: PageOptions = {},
): Promise<void> {
  const context = await browser.newContext({ viewport: { width, height } });
  const complaints: string[] = [];
  try {
    const page = await context.newPage();
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) complaints.push(message.text());
    });
    await page.goto(url);
    await run(page, complaints);
  } finally {
    await context.close();
  }
}

/** How many of 16 x 9 points of the first canvas differ from the one before; 0 for a blank one. */
export async function canvasChanges(page: Page): Promise<number> {
  const points = await page.evaluate<string[]>(`(() => {
    ${COPY}
    const points = [];
    for (let y = 0; y < 9; y += 1)
      for (let x = 0; x < 16; x += 1) {
        const at = [Math.floor(((x + 0.5) * width) / 16), Math.floor(((y + 0.5) * height) / 9)];
        points.push(context.getImageData(...at, 1, 1).data.join());
      }
    return points;
  })()`);
  return points.filter((colour, index) => index > 0 && colour !== points[index - 1]).length;
}

/** All pixels of the first canvas as one number that changes with any of them. */
export function canvasHash(page: Page): Promise<number> {
  return page.evaluate<number>(`(() => {
    ${COPY}
    return context.getImageData(0, 0, width, height).data.reduce((hash, byte) => (Math.imul(hash, 31) + byte) | 0, 7);
  })()`);
}

/** Reading the page's own canvas would change how the browser keeps it. */
const COPY = `
  const canvas = document.querySelector("canvas");
  const { width, height } = canvas;
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  context.drawImage(canvas, 0, 0);
`;
