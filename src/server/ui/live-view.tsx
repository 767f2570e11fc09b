// The view Live: the controls, a tile for each stream, and the dialogs that add and remove streams.
import { useEffect, useState } from "preact/hooks";
import type { JSX } from "preact";
import { AddStream } from "./add-stream.tsx";
import { EmptyState } from "./empty-state.tsx";
import { Grid } from "./grid.tsx";
import type { LiveState } from "./live.ts";
import type { PageLive } from "./page-live.ts";
import { RemoveStream } from "./remove-stream.tsx";
import { Toolbar } from "./toolbar.tsx";

interface LiveViewProps {
  readonly live: PageLive;
  readonly state: LiveState;
  /** The stream at full size, as the address names it. */
  readonly open: string | undefined;
  readonly onOpen: (stream: string | undefined) => void;
}

export function LiveView({ live, state, open, onOpen }: LiveViewProps): JSX.Element {
  const [adding, setAdding] = useState(false);
  const [removing, setRemoving] = useState<string | undefined>();
  const full = state.streams.some(({ id }) => id === open) ? open : undefined;

  useEffect(() => live.setOnly(full), [live, full]);
  // The stream at full size was removed, by this page or another: back to the tiles.
  useEffect(() => {
    if (state.hello && open !== undefined && full === undefined) onOpen(undefined);
  }, [state.hello, open, full]);

  const add = (): void => setAdding(true);
  return (
    <>
      <Toolbar live={live} state={state} onAdd={add} />
      {state.streams.length === 0 ? (
        state.hello && <EmptyState onAdd={add} />
      ) : (
        <Grid live={live} state={state} full={full} onOpen={onOpen} onRemove={setRemoving} />
      )}
      {adding && <AddStream live={live} onClose={() => setAdding(false)} />}
      {removing !== undefined && <RemoveStream live={live} stream={removing} onClose={() => setRemoving(undefined)} />}
    </>
  );
}
