// The quick suite: `npm test`. Slower checks are in vitest.slow.config.ts.
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/**/*.slow.test.ts", "test/slow/**", "test/e2e/faults/**"],
    globalSetup: ["test/support/global-setup.ts"],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Tests start engines with a thread a core, servers and ffmpegs; more files at once would only wait for each other.
    maxWorkers: 2,
    reporters: ["default"],
  },
});
