// The options of a field that chooses a model: the one in use first, then all that there are.
import type { JSX } from "preact";
import type { ModelInfo } from "../../models/model-schemas.ts";
import { beginnings } from "./training-form.ts";

interface ModelOptionsProps {
  readonly models: readonly ModelInfo[];
  /** The server's own model. */
  readonly own: string;
}

export function ModelOptions({ models, own }: ModelOptionsProps): JSX.Element {
  return (
    <>
      <option value="">In use: {own}</option>
      {beginnings(models).map((model) => (
        <option key={model} value={model}>
          {model}
        </option>
      ))}
    </>
  );
}
