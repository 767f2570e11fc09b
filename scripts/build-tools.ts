// Runs the tools that a native build needs, keeps what they print, and says which of them is missing.
import { spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { finished } from "node:stream/promises";
import { MultiboxError } from "../src/errors.ts";

export const PYTHON = process.env["PYTHON"] || "python3";

/** Where a tool runs, and the file that what it prints is added to. */
export interface Logged {
  readonly cwd: string;
  readonly log: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** Resolves with what the tool printed on its output. Fails with BUILD_FAILED, which quotes its last words. */
export async function runLogged(command: string, args: readonly string[], { cwd, log, env }: Logged): Promise<string> {
  const file = createWriteStream(log, { flags: "a" });
  const { code, output, all } = await run(command, args, { cwd, ...(env && { env }) });
  file.end(`$ ${[command, ...args].join(" ")}\n${all}\n`);
  await finished(file);
  if (code === 0) return output;
  const lines = all.split("\n").filter((line) => line.trim() !== "");
  const words = lines.findLast((line) => /error/i.test(line)) ?? lines.at(-1) ?? `it ended with ${code}`;
  throw new MultiboxError("BUILD_FAILED", `${command} failed: ${words.trim()}.`, `All that it said is in ${log}.`);
}

/** Fails with TOOL_MISSING where the build cannot work on this machine. */
export async function checkTools(): Promise<void> {
  if (process.platform !== "linux") {
    throw new MultiboxError(
      "TOOL_MISSING",
      `TensorFlow's pip packages are built against on Linux only, and this is ${process.platform}.`,
      "Use onnx:cpu, or run `npm install @tensorflow/tfjs-node-gpu`.",
    );
  }
  const compiler = process.env["CXX"] || "c++";
  await check(PYTHON, ["-m", "pip", "--version"], "Install Python 3 with pip: `apt-get install python3 python3-pip`.");
  await check(compiler, ["--version"], "Install a C++ compiler: `apt-get install g++`.");
  await check("make", ["--version"], "Install make: `apt-get install make`.");
}

async function check(command: string, args: readonly string[], hint: string): Promise<void> {
  const { code } = await run(command, args, {});
  if (code === 0) return;
  throw new MultiboxError("TOOL_MISSING", `\`${[command, ...args].join(" ")}\` does not work here.`, hint);
}

interface Outcome {
  /** -1 where the command could not be started. */
  readonly code: number;
  readonly output: string;
  /** Errors too. */
  readonly all: string;
}

async function run(
  command: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv },
): Promise<Outcome> {
  const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  let [output, all] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    all += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => (all += text));
  return new Promise((resolve) => {
    child.once("error", (error) => resolve({ code: -1, output, all: `${all}${error.message}` }));
    child.once("close", (code) => resolve({ code: code ?? -1, output, all }));
  });
}
