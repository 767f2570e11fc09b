// When `multibox serve` should stop: at a signal, or when the npm that started it is gone.
import type { Logger } from "pino";
import { onUncaught, stackOf, UNEXPECTED } from "../last-resort.ts";

export interface StopSignal {
  /** Resolves at the first SIGINT or SIGTERM. */
  readonly asked: Promise<void>;
  /** From now on there is something to close. */
  readonly inGoodOrder: () => void;
}

/**
 * While the server starts, a signal ends it at once: a model may be on its way for minutes, nobody is served yet, and an
 * ffmpeg that makes the demo goes with its guard. Later the first one is a wish, a second one ends the process, and so
 * does a stop that hangs.
 */
export function stopSignal(logger: Logger): StopSignal {
  let started = false;
  let asked = false;
  return {
    asked: new Promise((resolve) => {
      const onSignal = (signal: NodeJS.Signals): void => {
        if (asked) process.exit(1);
        asked = true;
        logger.info({ signal }, "stopping");
        if (!started) process.exit();
        setTimeout(() => process.exit(1), STOP_MS).unref();
        resolve();
      };
      process.on("SIGINT", onSignal);
      process.on("SIGTERM", onSignal);
      onUncaught((error) => {
        logger.fatal(`${UNEXPECTED} ${stackOf(error)}`);
        process.exitCode = 1;
        if (!asked) onSignal("SIGTERM");
      });
      onNpmGone(() => {
        if (!asked) onSignal("SIGTERM");
      });
    }),
    inGoodOrder: () => {
      started = true;
    },
  };
}

const STOP_MS = 10_000;

/**
 * `npm start` runs us in a shell, and passes a signal to that shell alone, which ends without a word to us. So under npm the
 * loss of the parent is the wish to stop.
 */
function onNpmGone(callback: () => void): void {
  if (process.env["npm_lifecycle_event"] === undefined) return;
  const { ppid } = process;
  const watch = setInterval(() => {
    if (process.ppid === ppid) return;
    clearInterval(watch);
    callback();
  }, 500).unref();
}
