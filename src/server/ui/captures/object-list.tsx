// The boxes of a capture as a list, with their labels to choose, type or invent.
import type { JSX, RefObject } from "preact";
import { useId } from "preact/hooks";
import { Swatch } from "../swatch.tsx";
import type { Draft } from "./draft.ts";

interface ObjectListProps {
  readonly draft: Draft;
  readonly labels: readonly string[];
  /** The field of the selected box. */
  readonly field: RefObject<HTMLInputElement | null>;
  readonly onSelect: (index: number) => void;
  readonly onLabel: (index: number, label: string) => void;
  readonly onRemove: (index: number) => void;
}

export function ObjectList({ draft, labels, field, onSelect, onLabel, onRemove }: ObjectListProps): JSX.Element {
  const id = useId();
  const all = [...new Set([...draft.objects.map(({ label }) => label), ...labels])];
  return (
    <>
      <datalist id={id}>
        {all.map((label) => (
          <option key={label} value={label} />
        ))}
      </datalist>
      {draft.objects.length === 0 && (
        <p class="help">Nothing is marked. Accepted like this, it says: none of it is here.</p>
      )}
      <ol class="object-list">
        {draft.objects.map(({ label, bbox }, index) => (
          <li key={index} class={draft.selected === index ? "object object-selected" : "object"}>
            <Swatch label={label} />
            <input
              ref={draft.selected === index ? field : undefined}
              list={id}
              value={label}
              maxLength={100}
              aria-label={`Label of box ${index + 1}`}
              onFocus={() => draft.selected !== index && onSelect(index)}
              onKeyDown={(event) => (event.key === "Enter" || event.key === "Escape") && event.currentTarget.blur()}
              onChange={(event) => {
                const text = event.currentTarget.value.trim();
                if (text) onLabel(index, text);
                else event.currentTarget.value = label;
              }}
            />
            <span class="help">
              {Math.round(bbox[2])} × {Math.round(bbox[3])}
            </span>
            <button type="button" class="quiet" aria-label={`Delete box ${index + 1}`} onClick={() => onRemove(index)}>
              ×
            </button>
          </li>
        ))}
      </ol>
    </>
  );
}
