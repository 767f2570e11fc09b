// Buttons that ask the server for something at once, and say beside them where that fails; among them that of a report.
import type { JSX } from "preact";
import { useRequest } from "../request.ts";

interface ReportButtonProps {
  /** What it is the report of. */
  readonly of: string;
  readonly onOpen: () => Promise<void>;
}

export function ReportButton({ of, onOpen }: ReportButtonProps): JSX.Element {
  return <RequestButton name="Report" label={`Report of ${of}`} title="Opens in a new tab" run={onOpen} />;
}

interface RequestButtonProps {
  readonly name: string;
  readonly label: string;
  readonly title?: string;
  readonly quiet?: boolean;
  readonly run: () => Promise<void>;
}

export function RequestButton({ name, label, title, quiet = false, run }: RequestButtonProps): JSX.Element {
  const request = useRequest();
  return (
    <>
      <button
        type="button"
        class={quiet ? "quiet" : undefined}
        aria-label={label}
        title={title}
        disabled={request.busy}
        onClick={() => request.run(run, () => {})}
      >
        {name}
      </button>
      {request.problem && (
        <span class="problem" role="alert">
          {request.problem}
        </span>
      )}
    </>
  );
}
