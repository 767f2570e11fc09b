// What no one has caught: reported, and then the process ends in good order where it can, because nobody knows what state it is in.
import { redactSecrets } from "./redact.ts";

/**
 * Calls `end` for each exception and rejection that nothing catches; the last one that was set counts. Without one Node ends the process in
 * the middle of whatever else it does.
 */
export function onUncaught(end: (error: unknown) => void): void {
  for (const event of ["uncaughtException", "unhandledRejection"] as const) {
    process.removeAllListeners(event);
    process.on(event, end);
  }
}

/** For commands that have nothing to close: their files are whole or not there, and child processes end with this one. */
export function failAtOnce(error: unknown): void {
  console.error(`multibox: INTERNAL: ${UNEXPECTED}\n${stackOf(error)}`);
  process.exit(1);
}

export const UNEXPECTED = "An error that multibox does not expect ended it. Please report it with the lines below.";

/** Without the secrets of URLs. */
export function stackOf(error: unknown): string {
  return redactSecrets(error instanceof Error ? (error.stack ?? error.message) : String(error));
}
