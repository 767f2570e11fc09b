// What went wrong with the page as a whole: no connection, or a request that the server refused.
import type { JSX } from "preact";
import { secondsUntil } from "./format.ts";
import type { LiveState } from "./live.ts";
import type { PageLive } from "./page-live.ts";
import { useTick } from "./store.ts";

export function Notices({ live, state }: { readonly live: PageLive; readonly state: LiveState }): JSX.Element | null {
  const { phase, notice, needsToken } = state;
  if (phase.name === "waiting" && !needsToken)
    return <Disconnected live={live} retryAt={phase.retryAt} hadOne={state.hello !== undefined} />;
  if (!notice) return null;
  return (
    <div class="notice notice-bad" role="alert">
      <p>{notice}</p>
      <button type="button" onClick={() => live.dismissNotice()}>
        Dismiss
      </button>
    </div>
  );
}

interface DisconnectedProps {
  readonly live: PageLive;
  readonly retryAt: number;
  /** There was a connection before. */
  readonly hadOne: boolean;
}

function Disconnected({ live, retryAt, hadOne }: DisconnectedProps): JSX.Element {
  useTick(250);
  const seconds = secondsUntil(retryAt, Date.now());
  return (
    <div class="notice notice-warn">
      {/* The countdown stays out of what is read aloud, or it would be read every second. */}
      <p>
        <span role="alert">No connection to the server.{hadOne && " What is below is the last that came."}</span>{" "}
        <span class="numbers">{seconds === 0 ? "Trying again now." : `Trying again in ${seconds} s.`}</span>
      </p>
      <button type="button" onClick={() => live.connect()}>
        Try now
      </button>
    </div>
  );
}
