// What the bodies of requests that are held in memory may take together. Bodies that stop coming take nothing but what has come.
import { MultiboxError } from "../../errors.ts";
import { readBody } from "./body.ts";

export interface HeldBody {
  readonly bytes: Buffer;
  /** When it is no longer needed. Idempotent. */
  readonly release: () => void;
}

interface Coming {
  bytes: number;
  readonly refuse: (reason: MultiboxError) => void;
}

export class BodyBudget {
  readonly #most: number;
  /** Those that are not whole yet, the one that began first in front. */
  readonly #coming = new Set<Coming>();
  #held = 0;

  /** In bytes. */
  constructor(most: number) {
    this.#most = most;
  }

  /**
   * Fails as `readBody` does, and with SERVER_BUSY: when all together are too much, the body is given up that has been coming for the
   * longest time, because it may never end.
   */
  async read(request: Request, limit: number): Promise<HeldBody> {
    const abort = new AbortController();
    const body: Coming = { bytes: 0, refuse: (reason) => abort.abort(reason) };
    this.#coming.add(body);
    let isReleased = false;
    const release = (): void => {
      if (isReleased) return;
      isReleased = true;
      this.#coming.delete(body);
      this.#held -= body.bytes;
    };
    const onBytes = (count: number): void => {
      if (isReleased) return;
      body.bytes += count;
      this.#held += count;
      while (this.#held > this.#most && this.#coming.size > 0) this.#giveUpOldest();
    };
    try {
      const bytes = await readBody(request, limit, { onBytes, signal: abort.signal });
      this.#coming.delete(body);
      return { bytes, release };
    } catch (error) {
      release();
      throw error;
    }
  }

  #giveUpOldest(): void {
    const [oldest] = this.#coming;
    if (!oldest) return;
    this.#coming.delete(oldest);
    this.#held -= oldest.bytes;
    oldest.bytes = 0;
    const sentence = `The bodies of requests that are coming have more than ${this.#most / 1_048_576} MiB.`;
    oldest.refuse(new MultiboxError("SERVER_BUSY", sentence, "Try again in a moment."));
  }
}
