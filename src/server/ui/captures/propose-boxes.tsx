// Proposals in the view Captures: the button and its form, how far a run is, what came of it, and how far people follow proposals.
import { useEffect, useId, useRef, useState } from "preact/hooks";
import type { JSX, TargetedSubmitEvent } from "preact";
import type { ModelInfo } from "../../models/model-schemas.ts";
import type { Scope } from "../../access/caller.ts";
import { Dialog } from "../dialog.tsx";
import { ModelOptions } from "../models/model-options.tsx";
import { RequestButton } from "../models/request-button.tsx";
import { textOf } from "../new-stream.ts";
import { useRequest } from "../request.ts";
import { useStore } from "../store.ts";
import type { ProposalBoard } from "./proposal-board.ts";
import { agreementLine, endOf, isFormality, whyNot } from "./proposal-words.ts";

const POLL_MS = 1000;
/** The first is the server's default. */
const TILES = [
  ["2x2", "2 x 2 tiles: five times as long"],
  ["3x2", "3 x 2 tiles: seven times as long"],
  ["1x1", "The whole image alone"],
] as const;

interface ProposeBoxesProps {
  readonly board: ProposalBoard;
  readonly own: string | undefined;
  /** Of the page's token; undefined while the server is not connected. */
  readonly scope: Scope | undefined;
}

export function ProposeButton({ board, own, scope }: ProposeBoxesProps): JSX.Element {
  const id = useId();
  const { info, fresh, models } = useStore(board.state);
  const [isOpen, setOpen] = useState(false);
  const reason = whyNot(scope, fresh, info?.state === "running");
  return (
    <div class="propose">
      {reason !== undefined && (
        <span class="help" id={id}>
          {reason}
        </span>
      )}
      <button
        type="button"
        disabled={reason !== undefined}
        aria-describedby={reason === undefined ? undefined : id}
        onClick={() => setOpen(true)}
      >
        Propose boxes
      </button>
      {isOpen && <ProposeForm board={board} own={own} models={models ?? []} onClose={() => setOpen(false)} />}
    </div>
  );
}

interface ProposeFormProps {
  readonly board: ProposalBoard;
  readonly own: string | undefined;
  readonly models: readonly ModelInfo[];
  readonly onClose: () => void;
}

function ProposeForm({ board, own = "", models, onClose }: ProposeFormProps): JSX.Element {
  const id = useId();
  const { busy, problem, run } = useRequest();
  const submit = (event: TargetedSubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const model = textOf(form, "model");
    run(() => board.start({ regions: textOf(form, "regions"), ...(model !== "" && { model }) }), onClose);
  };
  return (
    <Dialog title="Propose boxes" onClose={onClose}>
      <form onSubmit={submit} autocomplete="off">
        <p>
          A slower look at the captures that nobody has reviewed, in the background. What it finds replaces their boxes;
          captures that you review meanwhile stay as they are.
        </p>
        <label class="field" for={`${id}-model`}>
          Model
          <select id={`${id}-model`} name="model">
            <ModelOptions models={models} own={own} />
          </select>
        </label>
        <label class="field" for={`${id}-regions`}>
          Tiles
          <select id={`${id}-regions`} name="regions">
            {TILES.map(([value, words]) => (
              <option key={value} value={value}>
                {words}
              </option>
            ))}
          </select>
        </label>
        <p class="problem" role="alert">
          {problem}
        </p>
        <div class="card-actions">
          <button type="button" onClick={onClose}>
            Close
          </button>
          <button type="submit" class="primary" disabled={busy}>
            {busy ? "Starting…" : "Propose boxes"}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

interface ProposalStatusProps {
  readonly board: ProposalBoard;
  readonly mayChange: boolean;
  /** A run that was watched has ended. */
  readonly onEnd: () => void;
}

export function ProposalStatus({ board, mayChange, onEnd }: ProposalStatusProps): JSX.Element {
  const { info, agreement, problem } = useStore(board.state);
  const isRunning = info?.state === "running";
  const wasRunning = useRef(false);
  useEffect(() => {
    if (wasRunning.current && !isRunning) onEnd();
    wasRunning.current = isRunning;
    if (!isRunning) return undefined;
    const timer = setInterval(() => void board.refresh(), POLL_MS);
    return () => clearInterval(timer);
  }, [board, isRunning]);
  return (
    <>
      {problem && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      {info && isRunning && (
        <div class="propose-run">
          <span>
            Proposing boxes: {info.done} of {info.total}
          </span>
          <progress aria-label="Progress of the proposals" max={info.total} value={info.done} />
          {mayChange && <RequestButton name="Cancel" label="Cancel the proposals" run={() => board.cancel()} />}
        </div>
      )}
      {/* There from the beginning, so that what comes into it is read out. */}
      <p role="status" class="propose-result">
        {info && !isRunning && info.state !== "idle" && endOf(info)}
      </p>
      {info?.error && (
        <p class="problem" role="alert">
          {info.error.message} {info.error.hint}
        </p>
      )}
      {info && !isRunning && (info.failures ?? []).length > 0 && (
        <ul class="propose-failures help" aria-label="Images that could not be read">
          {info.failures!.map((sentence) => (
            <li key={sentence}>{sentence}</li>
          ))}
        </ul>
      )}
      {agreement && agreement.captures > 0 && (
        <p class="help">
          {agreementLine(agreement)}
          {isFormality(agreement) && (
            <b>
              {" "}
              Review has become a formality: another camera, other times of day or harder frames would teach the model
              more.
            </b>
          )}
        </p>
      )}
    </>
  );
}
