// In every view: corrections that the server does not have, by capture, with a way to each of them.
import type { JSX } from "preact";
import { countOf } from "../../../count.ts";
import { secondsUntil } from "../format.ts";
import { routeHash } from "../route.ts";
import { useStore, useTick } from "../store.ts";
import type { Review } from "./review.ts";
import type { Unsaved } from "./saves.ts";

/** Captures that are named; there may be more. */
const NAMED = 5;

export function UnsavedNotice({ review }: { readonly review: Review }): JSX.Element | null {
  const { unsaved, retryAt } = useStore(review.saves.state);
  const failed = unsaved.filter(({ problem, state }) => problem !== "" || state === "conflict");
  if (failed.length === 0) return null;
  return (
    <div class="notice notice-bad unsaved">
      <div>
        <p role="alert">{countOf(unsaved.length, "capture is", "captures are")} not saved. Keep this page open.</p>
        <ul>
          {failed.slice(0, NAMED).map((one) => (
            <li key={one.id}>
              <a href={routeHash("captures", one.id)}>
                {one.stream}, {new Date(one.time).toLocaleString()}
              </a>
              : {whatOf(one)}{" "}
              {one.state === "refused" && (
                <button type="button" class="quiet" onClick={() => review.discard(one.id)}>
                  Discard
                </button>
              )}
            </li>
          ))}
          {failed.length > NAMED && <li>and {failed.length - NAMED} more</li>}
        </ul>
      </div>
      {retryAt !== undefined && <Countdown retryAt={retryAt} />}
      <button type="button" onClick={() => review.saves.retry()}>
        Try now
      </button>
    </div>
  );
}

function whatOf({ state, status, problem }: Unsaved): string {
  const done = status === undefined ? "" : `${status}; `;
  return state === "conflict" ? `${done}somebody else has changed it. Open it to choose.` : `${done}${problem}`;
}

function Countdown({ retryAt }: { readonly retryAt: number }): JSX.Element {
  useTick(250);
  const seconds = secondsUntil(retryAt, Date.now());
  return <span class="numbers">{seconds === 0 ? "Trying again now." : `Trying again in ${seconds} s.`}</span>;
}
