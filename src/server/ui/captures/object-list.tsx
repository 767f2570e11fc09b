// The boxes of a capture as a list, with their labels to choose, type or invent.
import type { JSX, RefObject } from "preact";
import { useId, useState } from "preact/hooks";
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
            <LabelField
              field={draft.selected === index ? field : undefined}
              list={id}
              label={label}
              name={`Label of box ${index + 1}`}
              onFocus={() => draft.selected !== index && onSelect(index)}
              onLabel={(text) => onLabel(index, text)}
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

interface LabelFieldProps {
  readonly field: RefObject<HTMLInputElement | null> | undefined;
  readonly list: string;
  readonly label: string;
  readonly name: string;
  readonly onFocus: () => void;
  readonly onLabel: (text: string) => void;
}

/** What is being typed is the field's own until it is left, so that nothing that is drawn meanwhile, a save for one, takes it away. */
function LabelField({ field, list, label, name, onFocus, onLabel }: LabelFieldProps): JSX.Element {
  const [typed, setTyped] = useState<string | undefined>();
  return (
    <input
      ref={field}
      list={list}
      value={typed ?? label}
      maxLength={100}
      aria-label={name}
      onFocus={onFocus}
      onInput={(event) => setTyped(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key === "Escape") event.currentTarget.value = label;
        if (event.key === "Enter" || event.key === "Escape") event.currentTarget.blur();
      }}
      onChange={(event) => {
        const text = event.currentTarget.value.trim();
        setTyped(undefined);
        if (text && text !== label) onLabel(text);
      }}
      onBlur={() => setTyped(undefined)}
    />
  );
}
