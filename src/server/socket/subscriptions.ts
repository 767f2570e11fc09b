// Which frames one client wants: for each stream the newest request that named it, or "*".
import type { Filter } from "./frame-messages.ts";

export interface Subscribed {
  readonly filter: Filter;
  /** Greatest width of the pictures that go along; undefined for none. */
  readonly pictures: number | undefined;
  readonly maxFps: number | undefined;
  readonly changesOnly: boolean;
  readonly newestOnly: boolean;
  /** By stream, the last frame that the client has; taken out when its replay begins. */
  readonly since: Map<string, number>;
}

const ALL = "*";

export class Subscriptions {
  /** "off" takes one stream out of "*". */
  readonly #wanted = new Map<string, Subscribed | "off">();

  of(stream: string): Subscribed | undefined {
    const wanted = this.#wanted.get(stream) ?? this.#wanted.get(ALL);
    return wanted === "off" ? undefined : wanted;
  }

  /** A new request replaces the older ones for the same streams, and one for "*" all of them. */
  set(streams: readonly string[], subscribed: Subscribed): void {
    if (streams.includes(ALL)) this.#wanted.clear();
    for (const stream of streams.includes(ALL) ? [ALL] : streams) this.#wanted.set(stream, subscribed);
  }

  delete(streams: readonly string[] = [ALL]): void {
    if (streams.includes(ALL)) this.#wanted.clear();
    else for (const stream of streams) this.#off(stream);
  }

  /** The stream is gone; another one by its name would be a new one. */
  forget(stream: string): void {
    this.#wanted.delete(stream);
  }

  #off(stream: string): void {
    if (this.#wanted.has(ALL)) this.#wanted.set(stream, "off");
    else this.#wanted.delete(stream);
  }
}
