// One training: how far it is, what its epochs came to, and what can be done with it.
import type { JSX } from "preact";
import type { TrainingInfo } from "../../trainings/training-schemas.ts";
import { countOf } from "../../../count.ts";
import { isOver } from "../background.ts";
import type { Question } from "./confirm-words.ts";
import { EpochList } from "./epoch-list.tsx";
import type { Epochs } from "./model-board.ts";
import { dateOf, figureOf, lineOf, percent, shareOf, sourceOf } from "./model-words.ts";
import { ReportButton, RequestButton } from "./request-button.tsx";

interface TrainingCardProps {
  readonly training: TrainingInfo;
  /** Undefined before they were asked for. */
  readonly epochs: Epochs | undefined;
  readonly onEpochs: () => void;
  /** Undefined where the token does not allow it; so is the next one. */
  readonly onAsk: ((question: Question) => void) | undefined;
  readonly onResume: (() => Promise<void>) | undefined;
  readonly onReport: (version: number) => Promise<void>;
}

export function TrainingCard(props: TrainingCardProps): JSX.Element {
  const { training, epochs, onEpochs } = props;
  const { id, name, from, state, created, ended, metrics, parentMetrics, bestEpoch, error, warnings, verdict } =
    training;
  const line = lineOf(training);
  const best =
    metrics &&
    bestEpoch !== undefined &&
    `AP ${figureOf("AP", metrics, parentMetrics)} in epoch ${bestEpoch}${isOver(training) ? "" : ", the best so far"}`;
  return (
    <li class="training" data-training={id} aria-label={`Training of ${name}`}>
      <div class="training-head">
        <b class="training-name">
          {name} <span class="help">from {from}</span>
        </b>
        <span class={`badge badge-job-${state}`} role="status">
          {state}
        </span>
        <Actions {...props} />
      </div>
      {line && <p>{line}</p>}
      {state === "running" && <progress aria-label={`Progress of ${name}`} max={1} value={shareOf(training)} />}
      {error && (
        <p class="problem" role="alert">
          {error.message} {error.hint}
        </p>
      )}
      <p class="help">
        {[
          sourceOf(training),
          !isOver(training) && !metrics && parentMetrics ? `AP ${percent(parentMetrics["AP"])} before` : best,
          `asked for ${dateOf(created)}`,
          ended !== undefined && `ended ${dateOf(ended)}`,
        ]
          .filter((part) => part)
          .join(" · ")}
      </p>
      {verdict && <p class="help">{verdict.reason}</p>}
      {warnings && (
        <details>
          <summary>{countOf(warnings.length, "warning")} about the data</summary>
          <ul class="help">
            {warnings.map((warning) => (
              <li key={warning}>{warning}</li>
            ))}
          </ul>
        </details>
      )}
      {metrics && (
        <EpochList epochs={epochs} parent={parentMetrics?.["AP"]} open={!isOver(training)} onOpen={onEpochs} />
      )}
      {props.onAsk && isOver(training) && (
        <p class="job-foot">
          <button
            type="button"
            class="quiet"
            aria-label={`Delete the training of ${name}`}
            onClick={() => props.onAsk?.({ what: state === "failed" ? "discard" : "forget", training })}
          >
            Delete
          </button>
        </p>
      )}
    </li>
  );
}

function Actions({ training, onAsk, onResume, onReport }: TrainingCardProps): JSX.Element {
  const { name, state, version } = training;
  return (
    <span class="training-actions">
      {version !== undefined && <ReportButton of={`version ${version} of ${name}`} onOpen={() => onReport(version)} />}
      {state === "failed" && onResume && (
        <RequestButton name="Resume" label={`Resume the training of ${name}`} run={onResume} />
      )}
      {onAsk && !isOver(training) && (
        <button type="button" onClick={() => onAsk({ what: "cancel", training })}>
          Cancel
        </button>
      )}
    </span>
  );
}
