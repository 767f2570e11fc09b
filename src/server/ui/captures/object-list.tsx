// The boxes of a capture as a list, with their labels to choose or type. A label that nothing has yet is asked about first.
import type { JSX, RefObject } from "preact";
import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Swatch } from "../swatch.tsx";
import type { Draft } from "./draft.ts";
import { NewLabel } from "./new-label.tsx";

interface ObjectListProps {
  readonly draft: Draft;
  /** Of the model, and of other captures. */
  readonly labels: readonly string[];
  /** The field of the selected box. */
  readonly field: RefObject<HTMLInputElement | null>;
  readonly onSelect: (index: number) => void;
  readonly onLabel: (index: number, label: string) => void;
  readonly onRemove: (index: number) => void;
  /** A label was given, or not: the keys are the image's again. */
  readonly onDone: () => void;
  /** Whether a new label waits for an answer: until then the capture is not accepted, and no other one is opened. */
  readonly onAsking: (isAsking: boolean) => void;
}

export function ObjectList(props: ObjectListProps): JSX.Element {
  const { draft, labels, field, onSelect, onLabel, onRemove, onDone, onAsking } = props;
  const id = useId();
  const [asked, setAsked] = useState<{ readonly index: number; readonly label: string } | undefined>();
  const name = (index: number, label: string): void => {
    if (labels.includes(label)) onLabel(index, label);
    else {
      onAsking(true);
      setAsked({ index, label });
    }
  };
  const answered = (): void => {
    onAsking(false);
    setAsked(undefined);
  };
  const wasAsked = useRef(false);
  // The browser closes a dialog before it says so: a field that has been focused meanwhile keeps the focus.
  useLayoutEffect(() => {
    if (!asked && wasAsked.current && !(document.activeElement instanceof HTMLInputElement)) onDone();
    wasAsked.current = asked !== undefined;
  }, [asked]);
  return (
    <>
      <datalist id={id}>
        {labels.map((label) => (
          <option key={label} value={label} />
        ))}
      </datalist>
      {draft.objects.length === 0 && (
        <p class="help">Nothing is marked. Accepted like this, it is an image without objects.</p>
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
              onLabel={(text) => name(index, text)}
              onDone={onDone}
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
      {asked && (
        <NewLabel
          label={asked.label}
          known={labels}
          onChoose={(label) => {
            onLabel(asked.index, label);
            answered();
          }}
          onClose={answered}
        />
      )}
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
  readonly onDone: () => void;
}

/**
 * What is being typed is the field's own until it is left, so that nothing that is drawn meanwhile, a save for one, takes it away. The old label is
 * selected when the field gets the focus: what is typed replaces it.
 */
function LabelField({ field, list, label, name, onFocus, onLabel, onDone }: LabelFieldProps): JSX.Element {
  const [typed, setTyped] = useState<string | undefined>();
  return (
    <input
      ref={field}
      list={list}
      value={typed ?? label}
      maxLength={100}
      aria-label={name}
      onFocus={(event) => {
        event.currentTarget.select();
        onFocus();
      }}
      onInput={(event) => setTyped(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key === "Escape") event.currentTarget.value = label;
        if (event.key !== "Enter" && event.key !== "Escape") return;
        event.preventDefault();
        event.currentTarget.blur();
        onDone();
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
