// The view Live: the controls, a tile for each stream, and the dialogs that add, change and remove streams.
import { useEffect, useState } from "preact/hooks";
import type { JSX } from "preact";
import { AddStream } from "./add-stream.tsx";
import { EditStream } from "./edit-stream.tsx";
import { EmptyState } from "./empty-state.tsx";
import { Grid } from "./grid.tsx";
import type { LiveState } from "./live.ts";
import type { PageLive } from "./page-live.ts";
import { RemoveStream } from "./remove-stream.tsx";
import type { Question } from "./tile-actions.tsx";
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
  const [asked, setAsked] = useState<{ readonly what: Question; readonly stream: string } | undefined>();
  const full = state.streams.some(({ id }) => id === open) ? open : undefined;

  useEffect(() => live.setOnly(full), [live, full]);
  // The stream at full size was removed, by this page or another: back to the tiles.
  useEffect(() => {
    if (state.hello && open !== undefined && full === undefined) onOpen(undefined);
  }, [state.hello, open, full]);

  const mayChange = state.hello?.scope !== "read";
  const add = mayChange ? (): void => setAdding(true) : undefined;
  const answered = (): void => setAsked(undefined);
  // A stream that was removed meanwhile cannot be changed any more.
  const about = state.streams.find(({ id }) => id === asked?.stream);
  return (
    <>
      <Toolbar live={live} state={state} onAdd={add} />
      {state.streams.length === 0 ? (
        state.hello && <EmptyState onAdd={add} />
      ) : (
        <Grid
          live={live}
          state={state}
          full={full}
          onOpen={onOpen}
          onAsk={mayChange ? (what, stream) => setAsked({ what, stream }) : undefined}
        />
      )}
      {adding && <AddStream live={live} onClose={() => setAdding(false)} />}
      {asked?.what === "remove" && <RemoveStream live={live} stream={asked.stream} onClose={answered} />}
      {asked?.what === "edit" && about && <EditStream live={live} stream={about} onClose={answered} />}
    </>
  );
}
