// How many objects of each label are in sight; a click shows that label alone.
import type { JSX } from "preact";
import type { Filter } from "./filter.ts";
import { Swatch } from "./swatch.tsx";

interface LabelCountsProps {
  readonly counts: readonly (readonly [label: string, count: number])[];
  readonly filter: Filter;
  readonly onFilter: (filter: Filter) => void;
}

export function LabelCounts({ counts, filter, onFilter }: LabelCountsProps): JSX.Element {
  return (
    <ul class="counts" aria-label="In sight">
      {counts.map(([label, count]) => {
        const alone = filter.labels.length === 1 && filter.labels[0] === label;
        return (
          <li key={label}>
            <button
              type="button"
              class="chip"
              aria-pressed={alone}
              title={alone ? "Show all labels" : `Show only ${label}`}
              onClick={() => onFilter({ ...filter, labels: alone ? [] : [label] })}
            >
              <Swatch label={label} />
              {label} <b>{count}</b>
            </button>
          </li>
        );
      })}
      {counts.length === 0 && <li class="nothing">nothing in sight</li>}
    </ul>
  );
}
