// Python for the parity tests: the one of MULTIBOX_PYTHON, or `python3`; nothing else needs it.
import { execFile, execFileSync } from "node:child_process";
import { promisify } from "node:util";

const python = process.env["MULTIBOX_PYTHON"] ?? "python3";

/** Whether it has these modules, which may be written as imports are (`torchvision`, `torchvision.ops`). */
export function pythonHas(...modules: readonly string[]): boolean {
  try {
    execFileSync(python, ["-c", `import ${modules.join(", ")}`], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Runs a script to its end and returns what it printed. Fails with what it complained of. */
export async function runPython(script: string, args: readonly string[]): Promise<string> {
  // Modules beside the script would leave their compiled form in the repository.
  const env = { ...process.env, PYTHONDONTWRITEBYTECODE: "1" };
  const options = { env, maxBuffer: 2 ** 28, encoding: "utf8" } as const;
  return (await promisify(execFile)(python, [script, ...args], options)).stdout;
}
