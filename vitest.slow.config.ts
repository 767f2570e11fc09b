// The slow suite: `npm run test:slow`. Large networks on slow engines, and faults that take their time; one file at a time.
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.slow.test.ts", "test/slow/**/*.test.ts", "test/e2e/faults/**/*.test.ts"],
    globalSetup: ["test/support/global-setup.ts"],
    testTimeout: 600_000,
    hookTimeout: 600_000,
    fileParallelism: false,
    // Faults are mostly waited for, so those of one server happen at once; more would only wait for the machine.
    maxConcurrency: 6,
    reporters: ["default"],
  },
});
