// How multibox starts itself as a child process: compiled or from its sources, whatever folder it is started in.
import { fileURLToPath } from "node:url";

/** The program and its first arguments; those of a command come behind. */
export function ownCommand(): string[] {
  const isSource = import.meta.url.endsWith(".ts");
  const loader = isSource ? ["--import", import.meta.resolve("tsx")] : [];
  return [process.execPath, ...loader, fileURLToPath(new URL(isSource ? "../cli.ts" : "../cli.js", import.meta.url))];
}
