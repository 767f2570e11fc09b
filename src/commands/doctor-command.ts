// The arguments of `multibox doctor`: whether this machine has what a server needs.
import type { Command, Option } from "commander";
import { defaultCacheDir, defaultDataDir } from "../cache-dir.ts";
import { loadConfig } from "../load-config.ts";

/** Adds the command. `settings` are the options of `serve` that matter here. */
export function addDoctorCommand(program: Command, settings: readonly Option[]): void {
  const command = program
    .command("doctor")
    .description("See whether this machine has what a server needs; exit code 1 when something is missing")
    .option("--config <file>", "YAML file with settings, as for serve")
    .option("--json", "Print JSON", false);
  for (const option of settings) command.addOption(option);
  command
    .addHelpText("after", "\nExample:\n  multibox doctor --config multibox.yaml")
    .action(async ({ config: file, json, ...flags }: DoctorFlags) => {
      const config = await loadConfig({ file, env: process.env, flags });
      const folders = { cacheDir: config.cacheDir ?? defaultCacheDir(), dataDir: config.dataDir ?? defaultDataDir() };
      const { doctor } = await import("./doctor.ts");
      if (!(await doctor({ config, ...folders, json }))) process.exitCode = 1;
    });
}

interface DoctorFlags extends Record<string, unknown> {
  readonly config?: string;
  readonly json: boolean;
}
