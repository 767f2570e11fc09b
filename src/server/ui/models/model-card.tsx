// One model: which version its name means, and all that there are, with what each came to.
import type { JSX } from "preact";
import type { ModelInfo, ModelVersion } from "../../models/model-schemas.ts";
import { countOf } from "../../../count.ts";
import type { Question } from "./confirm-words.ts";
import { dateOf, figureOf } from "./model-words.ts";
import { ReportButton } from "./request-button.tsx";

interface ModelCardProps {
  readonly model: ModelInfo;
  /** Undefined where the token does not allow to change models. */
  readonly onAsk: ((question: Question) => void) | undefined;
  readonly onReport: (version: number) => Promise<void>;
}

export function ModelCard({ model, onAsk, onReport }: ModelCardProps): JSX.Element {
  const { name, inUse, running, fetched, fetchedVersion, versions } = model;
  return (
    <li class="model" data-model={name} aria-label={`Model ${name}`}>
      <div class="model-head">
        <h3>{name}</h3>
        {running && <span class="badge badge-live">running</span>}
        {onAsk && inUse.previous !== undefined && (
          <button type="button" onClick={() => onAsk({ what: "rollback", model })}>
            Back to version {inUse.previous}
          </button>
        )}
      </div>
      <ul class="version-list">
        {versions.map((facts) => (
          <Version key={facts.version} facts={facts} model={model} onAsk={onAsk} onReport={onReport} />
        ))}
        {fetched && (
          <li class="version" data-version="0" aria-label={`Version 0 of ${name}`}>
            <span class="version-name">
              <b>Version 0</b> <Use model={model} version={0} />
            </span>
            <p class="help version-facts">
              The fetched model{fetchedVersion === undefined ? "" : `; messages call it version ${fetchedVersion}`}
            </p>
            <span class="version-actions">
              {onAsk && inUse.version !== 0 && (
                <Activate onAsk={() => onAsk({ what: "activate", name, version: 0 })} of={`version 0 of ${name}`} />
              )}
            </span>
          </li>
        )}
      </ul>
    </li>
  );
}

interface VersionProps extends ModelCardProps {
  readonly facts: ModelVersion;
}

function Version({ facts, model, onAsk, onReport }: VersionProps): JSX.Element {
  const { name, version, parent, metrics, parentMetrics, data, created, labels, offered, verdict } = facts;
  const of = `version ${version} of ${name}`;
  const isInUse = model.inUse.version === version;
  const isNeeded = isInUse || model.inUse.previous === version;
  return (
    <li class="version" data-version={version} aria-label={`Version ${version} of ${name}`}>
      <span class="version-name">
        <b>Version {version}</b> <Use model={model} version={version} />
        {!offered && (
          <span class="badge badge-new" title={verdict?.reason ?? "It is not better than what its training began with"}>
            {verdict?.outcome ?? "not offered"}
          </span>
        )}
      </span>
      <dl class="facts version-facts">
        <Fact name="AP" value={figureOf("AP", metrics, parentMetrics)} />
        <Fact name="AP50" value={figureOf("AP50", metrics, parentMetrics)} />
        <Fact name="from" value={parent} />
        <Fact name="labels" value={String(labels.length)} title={labels.join(", ")} />
        <Fact name="trained on" value={countOf(data.pictures, "image")} />
        <Fact name="made" value={dateOf(created)} />
      </dl>
      <span class="version-actions">
        {onAsk && !isInUse && <Activate onAsk={() => onAsk({ what: "activate", name, version, facts })} of={of} />}
        <ReportButton of={of} onOpen={() => onReport(version)} />
        {onAsk && (
          <button
            type="button"
            class="quiet"
            aria-label={`Delete ${of}`}
            disabled={isNeeded}
            title={isNeeded ? "It is in use, or what a rollback goes back to" : undefined}
            onClick={() => onAsk({ what: "remove", facts })}
          >
            Delete
          </button>
        )}
      </span>
    </li>
  );
}

function Activate({ of, onAsk }: { readonly of: string; readonly onAsk: () => void }): JSX.Element {
  return (
    <button type="button" aria-label={`Activate ${of}`} onClick={onAsk}>
      Activate
    </button>
  );
}

interface UseProps {
  readonly model: ModelInfo;
  readonly version: number;
}

function Use({ model: { inUse, running, versions }, version }: UseProps): JSX.Element | null {
  // Where nothing runs and there is nothing to choose from, none is.
  if (inUse.version !== version || (!running && versions.length === 0)) return null;
  return <span class="badge badge-accepted">in use</span>;
}

function Fact({
  name,
  value,
  title,
}: {
  readonly name: string;
  readonly value: string;
  readonly title?: string;
}): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd title={title}>{value}</dd>
    </div>
  );
}
