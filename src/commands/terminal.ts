// What commands show while they work: a progress bar where there is a terminal.
import { SingleBar } from "cli-progress";

/** A bar on the terminal; nothing where standard error is no terminal. `stop` is idempotent. */
export interface Progress {
  readonly update: (done: number, total: number) => void;
  readonly stop: () => void;
}

export function downloadProgress(what: string): Progress {
  return progressBar(
    (total) => `${what} [{bar}] {percentage}% of ${(total / 1e6).toFixed(1)} MB, {eta_formatted} left`,
  );
}

export function pictureProgress(): Progress {
  return progressBar(() => "[{bar}] {value} of {total} pictures, {eta_formatted} left");
}

/**
 * Work on images with a bar. The first SIGINT or SIGTERM aborts the signal, so that it ends in good order with the terminal's cursor shown again;
 * the second one ends the process at once.
 */
export async function untilSignal<T>(
  work: (signal: AbortSignal, onProgress: Progress["update"]) => Promise<T>,
): Promise<T> {
  const progress = pictureProgress();
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  process.once("SIGINT", onSignal);
  process.once("SIGTERM", onSignal);
  try {
    return await work(stop.signal, progress.update);
  } finally {
    progress.stop();
    process.off("SIGINT", onSignal);
    process.off("SIGTERM", onSignal);
  }
}

function progressBar(format: (total: number) => string): Progress {
  let bar: SingleBar | undefined;
  return {
    update(done, total) {
      if (!process.stderr.isTTY) return;
      if (!bar) {
        bar = new SingleBar({
          format: format(total),
          barCompleteChar: "=",
          barIncompleteChar: " ",
          hideCursor: true,
          stream: process.stderr,
        });
        bar.start(total, done);
      }
      bar.update(done);
    },
    stop: () => bar?.stop(),
  };
}
