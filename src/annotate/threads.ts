// How the cores are shared between decoding and detecting: the one place where that is decided. Figures are in bench/README.md.
import { availableParallelism } from "node:os";

export interface ThreadPlan {
  /** Sessions of one thread each, as `openDetector` takes them. */
  readonly workers: number;
  /** Of each ffmpeg. */
  readonly decodeThreads: number;
}

/** Beyond so many sessions one process can hardly decode for them, and each holds its own memory. */
const MOST_WORKERS = 16;

/**
 * So many workers as are wanted, or with 0 a session a core: sessions of one thread have no gaps in which threads wait for each other,
 * which a batch on all cores has. Decoding shares the cores with them: it is a fifth of the work at 720p, and the system gives it its
 * turn when frames run out.
 */
export function planThreads(wanted: number, cores: number = availableParallelism()): ThreadPlan {
  const workers = wanted || Math.max(1, Math.min(cores, MOST_WORKERS));
  // Whoever asks for one worker means to leave the other cores alone.
  return { workers, decodeThreads: Math.max(1, Math.min(cores, workers, 8)) };
}
