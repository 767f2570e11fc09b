// The arguments of `multibox token`: who may ask the server, and how far.
import { type Command, InvalidArgumentError, Option } from "commander";
import { defaultDataDir } from "../cache-dir.ts";
import { loadConfig } from "../load-config.ts";
import { SCOPES, type Scope } from "../server/access/caller.ts";

/** Adds the command. `dataDir` is the option `--data-dir`, as `serve` has it. */
export function addTokenCommand(program: Command, dataDir: Option): void {
  const command = program
    .command("token")
    .description("Make, list and revoke the tokens that clients send; a server that runs heeds it within seconds");
  command
    .command("create")
    .description("Make a token and print it, once: only a digest of it is kept")
    .argument("<name>", "Whose it is, or what for")
    .addOption(
      new Option("--scope <scope>", "read: see; write: also change streams, captures, jobs; admin: everything")
        .choices(SCOPES)
        .default("read"),
    )
    .option("--streams <id...>", "Only these streams exist for it; also ids that are yet to come")
    .option("--expires <when>", "12h, 30d, or a date such as 2027-01-31; never if absent", parseExpiry)
    .option("--json", "Print one line of JSON", false)
    .addOption(dataDir)
    .addHelpText(
      "after",
      "\nExample:\n  multibox token create dashboard --scope read --streams door yard --expires 90d",
    )
    .action(async (name: string, { dataDir: folder, expires, ...flags }: CreateFlags) => {
      const { createToken } = await import("./token.ts");
      createToken({ name, ...flags, expiresAt: expires, dataDir: await dataDirOf(folder) });
    });
  command
    .command("list")
    .description("Show all tokens, those that are no longer valid too, but never the secret part")
    .option("--json", "Print JSON", false)
    .addOption(dataDir)
    .action(async ({ dataDir: folder, json }: Flags) => {
      const { listTokens } = await import("./token.ts");
      listTokens({ dataDir: await dataDirOf(folder), json });
    });
  command
    .command("revoke")
    .description("End a token; WebSockets that were opened with it are closed")
    .argument("<token>", "Its name or id")
    .option("--json", "Print one line of JSON", false)
    .addOption(dataDir)
    .action(async (which: string, { dataDir: folder, json }: Flags) => {
      const { revokeToken } = await import("./token.ts");
      revokeToken(which, { dataDir: await dataDirOf(folder), json });
    });
}

interface Flags {
  readonly dataDir?: string;
  readonly json: boolean;
}

interface CreateFlags extends Flags {
  readonly scope: Scope;
  readonly streams?: string[];
  readonly expires?: number;
}

const UNITS: Readonly<Record<string, number>> = { h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** Milliseconds since the epoch. */
export function parseExpiry(text: string, _earlier?: unknown, now: number = Date.now()): number {
  const [, count, unit] = /^(\d{1,5})([hdw])$/.exec(text) ?? [];
  if (count !== undefined) return now + Number(count) * UNITS[unit!]!;
  const time = /^\d{4}-\d{2}-\d{2}(T[\d:.]+(Z|[+-]\d\d:\d\d)?)?$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time)) throw new InvalidArgumentError("It must be like 12h, 30d, 8w or 2027-01-31.");
  return time;
}

async function dataDirOf(dataDir: string | undefined): Promise<string> {
  return (await loadConfig({ env: process.env, flags: { dataDir } })).dataDir ?? defaultDataDir();
}
