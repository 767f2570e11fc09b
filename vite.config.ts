// Builds the page in src/server/ui into dist/ui, which the server hands out at `/`.
import { defineConfig } from "vite";

export default defineConfig({
  root: "src/server/ui",
  // Relative addresses, so that the page also works below a path of a reverse proxy.
  base: "./",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "../../../dist/ui",
    emptyOutDir: true,
    target: "es2022",
    // The server's content security policy allows files of its own only.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
