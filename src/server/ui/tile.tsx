// One stream: its picture with boxes, how it is doing, and what is in sight.
import type { JSX } from "preact";
import { countLabels, passing } from "./filter.ts";
import { latencyOf } from "./format.ts";
import type { LiveState } from "./live.ts";
import type { PageLive } from "./page-live.ts";
import { Picture } from "./picture.tsx";
import { useTick } from "./store.ts";
import type { StreamView } from "./streams.ts";
import { type Question, TileActions } from "./tile-actions.tsx";
import { TileFacts } from "./tile-facts.tsx";
import { Findings } from "./findings.tsx";
import { LabelCounts } from "./label-counts.tsx";

interface TileProps {
  readonly live: PageLive;
  readonly state: LiveState;
  readonly stream: StreamView;
  readonly full: boolean;
  /** The one tile that the Tab key reaches; arrow keys go on from it. */
  readonly reachable: boolean;
  readonly onOpen: (stream: string | undefined) => void;
  readonly onAsk: ((what: Question, stream: string) => void) | undefined;
  readonly onFocus: (stream: string) => void;
}

/** Numbers that change with each frame are read four times a second; faster nobody can read them. */
const READ_MS = 250;

export function Tile({ live, state, stream, full, reachable, onOpen, onAsk, onFocus }: TileProps): JSX.Element {
  useTick(READ_MS);
  const { id, error, warnings = [] } = stream;
  const player = live.player(id);
  const shown = player.shown;
  const found = shown ? passing(shown.detections.detections, state.filter) : [];
  const counts = countLabels(found);
  return (
    <article
      class={full ? "tile tile-full" : "tile"}
      data-stream={id}
      tabIndex={reachable ? 0 : -1}
      aria-label={`Stream ${id}, ${stream.state}`}
      onFocus={() => onFocus(id)}
    >
      <header class="tile-head">
        <h2 title={stream.url}>{id}</h2>
        <span class={`badge badge-${warnings.length > 0 && stream.state === "live" ? "warning" : stream.state}`}>
          {state.phase.name === "open" ? stream.state : `was ${stream.state}`}
        </span>
        {state.frozen && <span class="badge">frozen</span>}
        <TileActions
          live={live}
          stream={stream}
          full={full}
          ids={state.streams.map((other) => other.id)}
          onOpen={onOpen}
          onAsk={onAsk}
        />
      </header>
      <Picture
        live={live}
        stream={stream}
        filter={state.filter}
        description={`Picture of ${id}: ${counts.map(([label, count]) => `${count} ${label}`).join(", ") || "nothing found"}`}
        onClick={() => onOpen(full ? undefined : id)}
      />
      {error && (
        <div class="tile-error" role="alert">
          <p>{error.message}</p>
          {error.hint && <p class="help">{error.hint}</p>}
        </div>
      )}
      {warnings.map(({ message, hint }) => (
        <div key={message} class="tile-warning" role="status">
          <p>{message}</p>
          <p class="help">{hint}</p>
        </div>
      ))}
      <div class="tile-foot">
        <TileFacts
          stream={stream}
          latency={shown && latencyOf(shown.detections, shown.drawnAt)}
          timing={shown?.detections.timing}
          missed={player.missed}
        />
        <LabelCounts counts={counts} filter={state.filter} onFilter={(filter) => live.setFilter(filter)} />
        {full && <Findings found={found} />}
      </div>
    </article>
  );
}
