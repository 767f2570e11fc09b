// Asks before a box gets a label that nothing has yet: most often it is a slip, and a model would be trained on it.
import type { JSX } from "preact";
import { nearest } from "../../../model/nearest-name.ts";
import { Dialog } from "../dialog.tsx";

interface NewLabelProps {
  readonly label: string;
  readonly known: readonly string[];
  readonly onChoose: (label: string) => void;
  readonly onClose: () => void;
}

export function NewLabel({ label, known, onChoose, onClose }: NewLabelProps): JSX.Element {
  const near = nearest(label, known);
  return (
    <Dialog title={`Add the new label "${label}"?`} onClose={onClose}>
      <p>
        Neither the model nor any capture has this label. A model that is trained on it gets it as an additional label.
        {near.length > 0 && " Did you mean one of these?"}
      </p>
      <div class="card-actions wrapping">
        {near.map((name) => (
          <button key={name} type="button" class="primary" onClick={() => onChoose(name)}>
            Use {name}
          </button>
        ))}
        <button type="button" onClick={onClose}>
          Cancel
        </button>
        <button type="button" onClick={() => onChoose(label)}>
          Add "{label}"
        </button>
      </div>
    </Dialog>
  );
}
