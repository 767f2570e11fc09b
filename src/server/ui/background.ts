// Lists of work that the server does in the background, as messages and answers change them.
import type { JobState } from "../jobs/job-schemas.ts";

interface BackgroundWork {
  readonly id: string;
  readonly state: JobState;
}

export function isOver({ state }: Pick<BackgroundWork, "state">): boolean {
  return state !== "queued" && state !== "running";
}

/**
 * In its place; a new one where its id, which begins with its time, puts it: newest first. What ended is not begun again by a message that is
 * older, unless it is of a kind that can be gone on with.
 */
export function withWork<T extends BackgroundWork>(
  all: readonly T[],
  one: T,
  canGoOn: (old: T) => boolean = () => false,
): readonly T[] {
  const at = all.findIndex(({ id }) => id === one.id);
  if (at < 0) return [...all, one].sort((a, b) => (a.id < b.id ? 1 : -1));
  const old = all[at]!;
  return isOver(old) && !isOver(one) && !canGoOn(old) ? all : all.with(at, one);
}

/** What is told while a list is asked for, which may be older than that when it comes. */
export class Overheard<E> {
  readonly #asked = new Set<E[]>();

  note(event: E): void {
    for (const heard of this.#asked) heard.push(event);
  }

  /** Whoever has taken the answer takes these events again. */
  async during<T>(ask: () => Promise<T>): Promise<{ readonly answer: T; readonly heard: readonly E[] }> {
    const heard: E[] = [];
    this.#asked.add(heard);
    try {
      return { answer: await ask(), heard };
    } finally {
      this.#asked.delete(heard);
    }
  }
}
