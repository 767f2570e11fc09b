// Before a version is brought into use: the labels that streams lose, and the streams whose settings name them.
import { useEffect, useState } from "preact/hooks";
import type { JSX } from "preact";
import { countOf } from "../../../count.ts";
import type { ActivationImpact } from "../../models/model-schemas.ts";
import { ApiError } from "../api.ts";

export type Impact = ActivationImpact | { readonly failure: string };

/** Undefined until the server has answered. */
export function useImpact(ask: (() => Promise<ActivationImpact>) | undefined): Impact | undefined {
  const [impact, setImpact] = useState<Impact | undefined>();
  useEffect(() => {
    ask?.().then(setImpact, (error: unknown) => {
      setImpact({ failure: error instanceof ApiError ? `${error.message} ${error.hint}`.trim() : String(error) });
    });
    // Once for each question.
  }, []);
  return impact;
}

export function ImpactList({ impact }: { readonly impact: Impact | undefined }): JSX.Element | null {
  if (!impact) return <p role="status">Looking up which labels are lost…</p>;
  if ("failure" in impact) return <p class="problem">It is not known which labels are lost. {impact.failure}</p>;
  const { lost, added, streams } = impact;
  return (
    <div class="impact">
      {lost.length > 0 && (
        <p class="impact-lost">
          <b>{countOf(lost.length, "label is", "labels are")} lost:</b> {lost.join(", ")}
        </p>
      )}
      {added.length > 0 && <p>New labels: {added.join(", ")}</p>}
      {streams.length > 0 && (
        <ul aria-label="Affected streams">
          {streams.map(({ id, warnings }) => (
            <li key={id}>
              <b>{id}</b>: {warnings.join(" ")}
            </li>
          ))}
        </ul>
      )}
      {lost.length === 0 && <p>No label is lost.</p>}
    </div>
  );
}
