// The tiles, side by side or one at full size, and the keys that move between them.
import { useEffect, useRef, useState } from "preact/hooks";
import type { JSX, TargetedKeyboardEvent } from "preact";
import type { LiveState } from "./live.ts";
import type { PageLive } from "./page-live.ts";
import { stepTo } from "./route.ts";
import type { Question } from "./tile-actions.tsx";
import { Tile } from "./tile.tsx";

interface GridProps {
  readonly live: PageLive;
  readonly state: LiveState;
  readonly full: string | undefined;
  readonly onOpen: (stream: string | undefined) => void;
  /** What the token allows only to look at is not asked. */
  readonly onAsk: ((what: Question, stream: string) => void) | undefined;
}

export function Grid({ live, state, full, onOpen, onAsk }: GridProps): JSX.Element {
  const grid = useRef<HTMLDivElement>(null);
  const [current, setCurrent] = useState<string | undefined>();
  const ids = state.streams.map(({ id }) => id);
  const shown = state.streams.filter(({ id }) => full === undefined || id === full);
  const reachable = current !== undefined && ids.includes(current) ? current : ids[0];

  const focus = (id: string): void => {
    setCurrent(id);
    grid.current?.querySelector<HTMLElement>(`[data-stream="${id}"]`)?.focus();
  };
  // Opened, closed or stepped on: the tile that is meant has the focus, and so the keys.
  const before = useRef(full);
  useEffect(() => {
    const id = full ?? before.current;
    if (full !== before.current && id !== undefined) focus(id);
    before.current = full;
  }, [full]);

  const onKeyDown = (event: TargetedKeyboardEvent<HTMLDivElement>): void => {
    const { key, target } = event;
    if (event.altKey || event.ctrlKey || event.metaKey || !(target instanceof HTMLElement)) return;
    if (key === "Escape" && full !== undefined) return take(event, () => onOpen(undefined));
    const id = target.closest<HTMLElement>("[data-stream]")?.dataset["stream"];
    if (id === undefined) return;
    const next = stepTo(key, ids.indexOf(id), ids.length, full === undefined ? columnsOf(grid.current!) : 1);
    if (next !== undefined) return take(event, () => (full === undefined ? focus(ids[next]!) : onOpen(ids[next])));
    // The buttons of a tile have their own Enter and Delete.
    if (target.dataset["stream"] === undefined) return;
    if (key === "Enter") take(event, () => onOpen(full === undefined ? id : undefined));
    if (key === "Delete") take(event, () => onAsk?.("remove", id));
    if (key === " ") take(event, () => live.setFrozen(!state.frozen));
  };

  return (
    <div class={full === undefined ? "grid" : "grid grid-full"} ref={grid} onKeyDown={onKeyDown}>
      {shown.map((stream) => (
        <Tile
          key={stream.id}
          live={live}
          state={state}
          stream={stream}
          full={stream.id === full}
          reachable={stream.id === (full ?? reachable)}
          onOpen={onOpen}
          onAsk={onAsk}
          onFocus={setCurrent}
        />
      ))}
    </div>
  );
}

function take(event: Event, act: () => void): void {
  event.preventDefault();
  act();
}

/** Tiles in the first row. */
function columnsOf(grid: HTMLElement): number {
  const tops = [...grid.children].map((tile) => (tile as HTMLElement).offsetTop);
  return tops.filter((top) => top === tops[0]).length;
}
