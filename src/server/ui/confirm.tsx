// Asks before something is done that is not undone by a click.
import type { ComponentChildren, JSX } from "preact";
import { Dialog } from "./dialog.tsx";
import { useRequest } from "./request.ts";

interface ConfirmProps {
  readonly title: string;
  /** On the button that does it, and while it is being done. */
  readonly action: string;
  readonly doing: string;
  /** On the button that does not. */
  readonly keep: string;
  readonly danger?: boolean;
  /** False while what is asked about is still being loaded. */
  readonly ready?: boolean;
  /** Fails with an ApiError, which is said here. */
  readonly run: () => Promise<void>;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

export function Confirm({
  title,
  action,
  doing,
  keep,
  danger = false,
  ready = true,
  run,
  onClose,
  children,
}: ConfirmProps): JSX.Element {
  const request = useRequest();
  return (
    <Dialog title={title} onClose={onClose}>
      {children}
      <p class="problem" role="alert">
        {request.problem}
      </p>
      <div class="card-actions">
        <button type="button" onClick={onClose}>
          {keep}
        </button>
        <button
          type="button"
          class={danger ? "danger" : "primary"}
          disabled={request.busy || !ready}
          onClick={() => request.run(run, onClose)}
        >
          {request.busy ? doing : action}
        </button>
      </div>
    </Dialog>
  );
}
