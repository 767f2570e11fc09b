// What the user chooses: the least score, the labels, whether pictures move, and a new stream.
import { useId } from "preact/hooks";
import type { JSX } from "preact";
import { LabelFilter } from "./label-filter.tsx";
import type { LiveState } from "./live.ts";
import type { PageLive } from "./page-live.ts";

interface ToolbarProps {
  readonly live: PageLive;
  readonly state: LiveState;
  readonly onAdd: (() => void) | undefined;
}

export function Toolbar({ live, state, onAdd }: ToolbarProps): JSX.Element {
  const id = useId();
  const { filter, frozen, hello } = state;
  return (
    <div class="toolbar" role="group" aria-label="What is shown">
      <div class="score">
        <label for={id}>Score from</label>
        <input
          id={id}
          type="range"
          min="0"
          max="1"
          step="0.05"
          value={filter.minScore}
          onInput={(event) => live.setFilter({ ...filter, minScore: event.currentTarget.valueAsNumber })}
        />
        <output for={id}>{filter.minScore.toFixed(2)}</output>
      </div>
      <LabelFilter
        known={hello?.labels ?? []}
        chosen={filter.labels}
        onChange={(labels) => live.setFilter({ ...filter, labels })}
      />
      <div class="toolbar-end">
        <button type="button" aria-pressed={frozen} onClick={() => live.setFrozen(!frozen)}>
          Freeze
        </button>
        {onAdd && (
          <button type="button" class="primary" onClick={onAdd}>
            Add stream
          </button>
        )}
      </div>
    </div>
  );
}
