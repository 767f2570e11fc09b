// Chooses the labels that are shown: a text field with the model's labels as completions, and a chip for each choice.
import { useId, useState } from "preact/hooks";
import type { JSX, TargetedInputEvent, TargetedSubmitEvent } from "preact";
import { findLabel } from "./filter.ts";
import { Swatch } from "./swatch.tsx";

interface LabelFilterProps {
  readonly known: readonly string[];
  readonly chosen: readonly string[];
  readonly onChange: (labels: string[]) => void;
}

export function LabelFilter({ known, chosen, onChange }: LabelFilterProps): JSX.Element {
  const id = useId();
  const [typed, setTyped] = useState("");
  const [unknown, setUnknown] = useState("");
  const free = known.filter((label) => !chosen.includes(label));

  const take = (text: string): boolean => {
    const label = findLabel(text, known);
    if (label === undefined) return false;
    if (!chosen.includes(label)) onChange([...chosen, label]);
    setTyped("");
    setUnknown("");
    return true;
  };
  const onInput = (event: TargetedInputEvent<HTMLInputElement>): void => {
    const text = event.currentTarget.value;
    setUnknown("");
    setTyped(text);
    // A completion that was picked from the list comes at once; typed text waits for Enter, "car" may become "carrot".
    if (event.inputType === "insertReplacementText" || event.inputType === undefined) take(text);
  };
  const onSubmit = (event: TargetedSubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    if (typed.trim() !== "" && !take(typed)) setUnknown(typed.trim());
  };

  return (
    <form class="labels" onSubmit={onSubmit}>
      <label for={id}>Labels</label>
      <input
        id={id}
        list={`${id}-list`}
        value={typed}
        placeholder={chosen.length === 0 ? "all" : "add another"}
        autocomplete="off"
        autocapitalize="none"
        spellcheck={false}
        aria-invalid={unknown !== ""}
        aria-describedby={`${id}-problem`}
        onInput={onInput}
      />
      <datalist id={`${id}-list`}>
        {free.map((label) => (
          <option key={label} value={label} />
        ))}
      </datalist>
      {chosen.map((label) => (
        <button
          key={label}
          type="button"
          class="chip chip-on"
          aria-label={`Show ${label} no more`}
          onClick={() => onChange(chosen.filter((other) => other !== label))}
        >
          <Swatch label={label} />
          {label}
          <span aria-hidden="true">×</span>
        </button>
      ))}
      <span id={`${id}-problem`} class="problem" role="status">
        {unknown && `The model has no label “${unknown}”.`}
      </span>
    </form>
  );
}
