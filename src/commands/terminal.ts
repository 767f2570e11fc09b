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
