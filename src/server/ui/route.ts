// Which view the address names: `#/` is Live, `#/live/ID` one stream of it at full size, `#/captures/ID` one capture.

/** The views of the page, in the order of the header. */
export const VIEWS = ["live", "captures", "jobs", "models"] as const;
export type View = (typeof VIEWS)[number];

export interface Route {
  readonly view: View;
  /** The stream, or whatever the view shows, at full size. */
  readonly item: string | undefined;
}

export function parseRoute(hash: string): Route {
  const [, name, item] = /^#\/([a-z]+)(?:\/([A-Za-z0-9][A-Za-z0-9_-]{0,127}))?$/.exec(hash) ?? [];
  const view = VIEWS.find((known) => known === name);
  return view === undefined ? { view: "live", item: undefined } : { view, item };
}

export function routeHash(view: View, item?: string): string {
  if (item !== undefined) return `#/${view}/${item}`;
  return view === "live" ? "#/" : `#/${view}`;
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
