// What the page asks of the server, from what it shows: all streams in tiles, one at full size, or nothing.
import type { ClientMessage } from "../protocol.ts";

export interface Wanted {
  /** Frozen, or the tab is out of sight. */
  readonly nothing: boolean;
  /** The stream at full size, when there is one. */
  readonly only: string | undefined;
  /** Widths of the drawn pictures in device pixels. */
  readonly widths: readonly number[];
}

/** Steps, so that a window being resized does not ask anew for every pixel. */
const WIDTHS = [320, 480, 640, 960, 1280, 1920] as const;

export interface Subscription {
  readonly streams: string[];
  readonly pictures: number;
}

export function subscriptionFor({ nothing, only, widths }: Wanted): Subscription | undefined {
  if (nothing) return undefined;
  return { streams: only === undefined ? ["*"] : [only], pictures: pictureWidth(Math.max(0, ...widths)) };
}

/** The smallest step that is at least as wide as the widest tile. */
export function pictureWidth(needed: number): number {
  return WIDTHS.find((width) => width >= needed) ?? WIDTHS.at(-1)!;
}

/** The old subscription is taken back first, so that no frame comes twice. `nextId` numbers the requests. */
export function requestsFor(wanted: Subscription | undefined, nextId: () => number): ClientMessage[] {
  const stop: ClientMessage = { id: nextId(), type: "unsubscribe" };
  return wanted ? [stop, { id: nextId(), type: "subscribe", ...wanted }] : [stop];
}
