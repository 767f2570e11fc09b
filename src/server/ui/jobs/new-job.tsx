// The form that makes jobs: videos are dropped or chosen, and each becomes one with the options as they stand.
import { useId, useRef, useState } from "preact/hooks";
import type { JSX, TargetedDragEvent } from "preact";
import { CHOICES, CHOSEN, partsOf } from "./job-form.ts";

interface NewJobProps {
  readonly onUpload: (parts: FormData, name: string) => void;
}

export function NewJob({ onUpload }: NewJobProps): JSX.Element {
  const id = useId();
  const form = useRef<HTMLFormElement>(null);
  const [over, setOver] = useState(false);
  const [problem, setProblem] = useState("");
  const take = (files: readonly File[]): void => {
    const options = new FormData(form.current!);
    if (!form.current!.reportValidity()) return;
    setProblem(options.has("out") ? "" : "Choose what is to come out first.");
    if (options.has("out")) for (const file of files) onUpload(partsOf(options, file), file.name);
  };
  const drag = (isOver: boolean) => (event: TargetedDragEvent<HTMLElement>) => {
    event.preventDefault();
    setOver(isOver);
  };
  return (
    <form ref={form} class="new-job" onSubmit={(event) => event.preventDefault()} autocomplete="off">
      <label
        class={`drop ${over ? "drop-over" : ""}`}
        onDragOver={drag(true)}
        onDragLeave={drag(false)}
        onDrop={(event) => {
          drag(false)(event);
          take([...(event.dataTransfer?.files ?? [])]);
        }}
      >
        <b>Drop videos here, or choose them</b>
        <span class="help">They are annotated in the background; streams come first.</span>
        <input
          type="file"
          accept="video/*,.mkv,.ts,.mts,.avi"
          multiple
          aria-label="Videos"
          onChange={(event) => {
            take([...(event.currentTarget.files ?? [])]);
            // The same file can be chosen again.
            event.currentTarget.value = "";
          }}
        />
      </label>
      <fieldset class="options job-forms">
        <legend>What comes out</legend>
        {CHOICES.map(([name, title]) => (
          <label key={name}>
            <input type="checkbox" name="out" value={name} defaultChecked={CHOSEN.includes(name)} /> {title}
          </label>
        ))}
      </fieldset>
      <details>
        <summary>Which frames and objects</summary>
        <div class="job-fields">
          <label class="field" for={`${id}-every`}>
            Every nth frame
            <input id={`${id}-every`} name="every" type="number" min="1" step="1" placeholder="1" />
          </label>
          <label class="field" for={`${id}-start`}>
            From second
            <input id={`${id}-start`} name="start" type="number" min="0" step="any" placeholder="0" />
          </label>
          <label class="field" for={`${id}-end`}>
            To second
            <input id={`${id}-end`} name="end" type="number" min="0" step="any" placeholder="end" />
          </label>
          <label class="field" for={`${id}-score`}>
            Least score
            <input id={`${id}-score`} name="minScore" type="number" min="0" max="1" step="any" placeholder="server's" />
          </label>
          <label class="field" for={`${id}-labels`}>
            Only these labels
            <input
              id={`${id}-labels`}
              name="labels"
              placeholder="person, car"
              autocapitalize="none"
              spellcheck={false}
            />
          </label>
        </div>
        <div class="options">
          <label>
            <input type="checkbox" name="keyframes" /> Only key frames, a quick look
          </label>
        </div>
      </details>
      <p class="problem" role="alert">
        {problem}
      </p>
    </form>
  );
}
