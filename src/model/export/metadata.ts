// What every exported file says of itself, so that who opens it needs no other file to make sense of the numbers.
import { packageVersion } from "../../version.ts";
import type { Bundle } from "../bundle.ts";

/** Names and JSON texts; docs/formats.md explains them. */
export function exportMetadata({ spec, provenance }: Bundle): Record<string, string> {
  return {
    producer: `multibox ${packageVersion()}`,
    name: spec.name,
    version: spec.version,
    labels: JSON.stringify(spec.labels),
    input: JSON.stringify(spec.input),
    spec: JSON.stringify(spec),
    provenance: JSON.stringify(provenance),
  };
}
