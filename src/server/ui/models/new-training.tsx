// The form that starts a training: what it learns from, what it begins with, and the few settings that matter.
import { useId } from "preact/hooks";
import type { JSX, TargetedSubmitEvent } from "preact";
import type { ModelInfo } from "../../models/model-schemas.ts";
import type { TrainingRequest } from "../../trainings/training-schemas.ts";
import { formatCount } from "../format.ts";
import { useRequest } from "../request.ts";
import { routeHash } from "../route.ts";
import type { ModelBoardState } from "./model-board.ts";
import { ModelOptions } from "./model-options.tsx";
import { requestOf } from "./training-form.ts";

interface NewTrainingProps {
  readonly models: readonly ModelInfo[];
  readonly counts: ModelBoardState["counts"];
  /** The server's own model. */
  readonly own: string | undefined;
  /** Fails with an ApiError. */
  readonly onStart: (training: TrainingRequest) => Promise<void>;
}

export function NewTraining({ models, counts, own = "", onStart }: NewTrainingProps): JSX.Element {
  const { busy, problem, run } = useRequest();
  const submit = (event: TargetedSubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const body = requestOf(new FormData(event.currentTarget));
    run(
      () => onStart(body),
      () => {},
    );
  };
  return (
    <form class="new-training" onSubmit={submit} autocomplete="off" aria-label="New training">
      {counts && <Captures {...counts} />}
      <div class="training-fields">
        <Field name="Begin with">
          {(id) => (
            <select id={id} name="from">
              <ModelOptions models={models} own={own} />
            </select>
          )}
        </Field>
        <Field name="Makes a version of">
          {(id) => (
            <input
              id={id}
              name="name"
              maxLength={64}
              placeholder="the same model"
              autocapitalize="none"
              spellcheck={false}
            />
          )}
        </Field>
        <Field name="Epochs">
          {(id) => <input id={id} name="epochs" type="number" min="1" max="1000" step="1" placeholder="20" />}
        </Field>
        <Field name="Minutes, instead of epochs">
          {(id) => (
            <input
              id={id}
              name="minutes"
              type="number"
              min="1"
              max="10080"
              step="any"
              placeholder="as many as it takes"
            />
          )}
        </Field>
      </div>
      <div class="training-choices">
        <Choice legend="What learns" name="freeze" choices={LEARNS} />
        <Choice legend="Labels of the trained model" name="labels" choices={LABELS} />
      </div>
      <details>
        <summary>More settings</summary>
        <div class="training-fields">
          {FINER.map(({ name, title, placeholder, ...range }) => (
            <Field key={name} name={title}>
              {(id) => <input id={id} name={name} type="number" placeholder={placeholder} {...range} />}
            </Field>
          ))}
          {SPLITS.map(({ name, title, choices }) => (
            <Field key={name} name={title}>
              {(id) => (
                <select id={id} name={name}>
                  {choices.map(([value, words]) => (
                    <option key={value} value={value}>
                      {words}
                    </option>
                  ))}
                </select>
              )}
            </Field>
          ))}
          {FOLDERS.map(([name, title, placeholder]) => (
            <Field key={name} name={title}>
              {(id) => <input id={id} name={name} placeholder={placeholder} autocapitalize="none" spellcheck={false} />}
            </Field>
          ))}
        </div>
        <p class="help">Folders are on the server, under one of its setting fileRoots: COCO, PASCAL VOC or captures.</p>
      </details>
      <p class="problem" role="alert">
        {problem}
      </p>
      <div class="card-actions">
        <button type="submit" class="primary" disabled={busy}>
          {busy ? "Starting…" : "Start training"}
        </button>
      </div>
    </form>
  );
}

const LEARNS = [
  ["base", "Heads and extra layers: fast, other labels keep their AP"],
  ["none", "The whole network: gains more, takes longer, other labels lose AP"],
] as const;
const LABELS = [
  ["all", "All that it has now, and new ones of the captures"],
  ["data", "Only the labels of the captures; it loses all others"],
] as const;
const FINER = [
  { name: "lr", title: "Learning rate", placeholder: "0.002", min: "0", max: "10", step: "any" },
  { name: "batch", title: "Images per step", placeholder: "8", min: "1", max: "256", step: "1" },
  { name: "validationShare", title: "Share that validates", placeholder: "0.2", min: "0", max: "1", step: "any" },
  { name: "patience", title: "End after epochs no better", placeholder: "never", min: "0", step: "1" },
] as const;
/** The first choice of each is the server's default. */
const SPLITS = [
  {
    name: "splitBy",
    title: "What validates",
    choices: [
      ["", "Automatic"],
      ["time", "The last images of each stream"],
      ["hash", "Groups of look-alikes"],
      ["day", "Whole days"],
    ],
  },
  {
    name: "nearIdentical",
    title: "Images nearly those of the validation set",
    choices: [
      ["", "Leave out up to a tenth"],
      ["drop", "Leave out all"],
      ["keep", "Train on them"],
    ],
  },
] as const;
const FOLDERS = [
  ["data", "Instead of captures, a data set", "/data/yard"],
  ["validation", "Validate on a data set", "a share of it"],
  ["replay", "Mix in older images", "none"],
] as const;

function Captures({ accepted, fresh }: { readonly accepted: number; readonly fresh: number }): JSX.Element {
  const review = <a href={routeHash("captures")}>{fresh === 0 ? "Captures" : `review ${formatCount(fresh)} more`}</a>;
  if (accepted === 0) {
    return (
      <p>
        No capture has been accepted yet.{" "}
        {fresh === 0 ? "Keep frames of a stream in Live, and accept them in" : "First"} {review}.
      </p>
    );
  }
  return (
    <p>
      Learns from{" "}
      <b>
        {formatCount(accepted)} accepted {accepted === 1 ? "capture" : "captures"}
      </b>
      {fresh > 0 && <>; {review}</>}. In the background, at the lowest priority, one training at a time.
    </p>
  );
}

function Field({
  name,
  children,
}: {
  readonly name: string;
  readonly children: (id: string) => JSX.Element;
}): JSX.Element {
  const id = useId();
  return (
    <label class="field" for={id}>
      {name}
      {children(id)}
    </label>
  );
}

interface ChoiceProps {
  readonly legend: string;
  readonly name: string;
  /** Value and words; the first is chosen. */
  readonly choices: readonly (readonly [string, string])[];
}

function Choice({ legend, name, choices }: ChoiceProps): JSX.Element {
  return (
    <fieldset class="options">
      <legend>{legend}</legend>
      {choices.map(([value, words], i) => (
        <label key={value}>
          <input type="radio" name={name} value={value} defaultChecked={i === 0} /> {words}
        </label>
      ))}
    </fieldset>
  );
}
