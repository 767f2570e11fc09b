// The form that changes a stream; what the server thinks of it is said in the server's own words.
import { useId, useState } from "preact/hooks";
import type { JSX, TargetedSubmitEvent } from "preact";
import { Dialog } from "./dialog.tsx";
import type { PageLive } from "./page-live.ts";
import { useRequest } from "./request.ts";
import { changesIn, formOf } from "./stream-changes.ts";
import type { StreamView } from "./streams.ts";

interface EditStreamProps {
  readonly live: PageLive;
  readonly stream: StreamView;
  readonly onClose: () => void;
}

export function EditStream({ live, stream, onClose }: EditStreamProps): JSX.Element {
  const id = useId();
  // As it was when the dialog opened: the list of streams goes on changing below it.
  const [shown] = useState(() => formOf(stream));
  const { busy, problem, run } = useRequest();
  const submit = (event: TargetedSubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const changes = changesIn(new FormData(event.currentTarget), shown);
    if (Object.keys(changes).length === 0) onClose();
    else run(() => live.change(stream.id, changes), onClose);
  };
  const number = (name: "maxFps" | "priority" | "minScore", title: string, more: NumberField): JSX.Element => (
    <label class="field" for={`${id}-${name}`}>
      {title}
      <input
        id={`${id}-${name}`}
        name={name}
        type="number"
        inputMode="decimal"
        defaultValue={shown[name]}
        aria-describedby={`${id}-numbers-help`}
        {...more}
      />
    </label>
  );
  return (
    <Dialog title={`Edit ${stream.id}`} onClose={onClose}>
      <form onSubmit={submit} autocomplete="off">
        <label class="field" for={`${id}-url`}>
          Address
          <input
            id={`${id}-url`}
            name="url"
            required
            maxLength={2048}
            defaultValue={shown.url}
            autocapitalize="none"
            spellcheck={false}
            aria-describedby={`${id}-url-help`}
          />
        </label>
        <p class="help" id={`${id}-url-help`}>
          User name and password are not shown. They are kept if this stays as it is; a new address needs its own.
        </p>
        <div class="field-row">
          {number("maxFps", "Frames/s", { min: 0.01, max: 240, step: "any", placeholder: "all" })}
          {number("priority", "Priority", { min: 1, max: 10, step: 1, placeholder: "1" })}
          {number("minScore", "Score from", { min: 0, max: 1, step: "any", placeholder: "0" })}
        </div>
        <p class="help" id={`${id}-numbers-help`}>
          The most frames a second that are detected; the share of the detector when it is busy; the least score that is
          kept.
        </p>
        <label class="field" for={`${id}-labels`}>
          Labels
          <input
            id={`${id}-labels`}
            name="labels"
            defaultValue={shown.labels}
            placeholder="all"
            autocapitalize="none"
            spellcheck={false}
            aria-describedby={`${id}-labels-help`}
          />
        </label>
        <p class="help" id={`${id}-labels-help`}>
          Only these are kept, for everyone: person, car. All when empty.
        </p>
        <p class="problem" role="alert">
          {problem}
        </p>
        <div class="card-actions">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="primary" disabled={busy}>
            {busy ? "Saving…" : "Save"}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

interface NumberField {
  readonly min: number;
  readonly max: number;
  readonly step: number | "any";
  /** What is in force where nothing is set. */
  readonly placeholder: string;
}
