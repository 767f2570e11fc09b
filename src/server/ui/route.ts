// Which view the address names: `#/` is Live, `#/live/ID` is one stream of it at full size.

export interface Route {
  readonly view: "live";
  /** The stream at full size. */
  readonly stream: string | undefined;
}

export function parseRoute(hash: string): Route {
  const stream = /^#\/live\/([A-Za-z0-9][A-Za-z0-9_-]{0,63})$/.exec(hash)?.[1];
  return { view: "live", stream };
}

export function routeHash(stream: string | undefined): string {
  return stream === undefined ? "#/" : `#/live/${stream}`;
}

/** The index that an arrow key leads to in a grid of so many columns, or undefined for any other key. */
export function stepTo(key: string, at: number, count: number, columns: number): number | undefined {
  const steps: Record<string, number> = {
    ArrowLeft: at - 1,
    ArrowRight: at + 1,
    ArrowUp: at - columns,
    ArrowDown: at + columns,
    Home: 0,
    End: count - 1,
  };
  const next = steps[key];
  if (next === undefined) return undefined;
  return next < 0 || next >= count ? at : next;
}
