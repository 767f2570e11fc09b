// The head of the page: the name, the views, the model, and how the connection is.
import type { JSX } from "preact";
import { countOf } from "../../count.ts";
import type { LiveState } from "./live.ts";
import { formatFps } from "./format.ts";
import { routeHash, VIEWS, type View } from "./route.ts";
import { totalFps } from "./streams.ts";

interface HeaderProps {
  readonly state: LiveState;
  readonly view: View;
}

const NAMES: Readonly<Record<View, string>> = { live: "Live", captures: "Captures", jobs: "Jobs", models: "Models" };

export function Header({ state, view }: HeaderProps): JSX.Element {
  const { hello, streams, phase } = state;
  return (
    <header class="top">
      <a class="brand" href="#/">
        <svg viewBox="0 0 32 32" aria-hidden="true">
          <rect x="3.5" y="3.5" width="17" height="17" rx="2" />
          <rect x="11.5" y="11.5" width="17" height="17" rx="2" />
        </svg>
        multibox
      </a>
      <nav aria-label="Views">
        {VIEWS.map((name) => (
          <a key={name} href={routeHash(name)} aria-current={name === view ? "page" : undefined}>
            {NAMES[name]}
          </a>
        ))}
      </nav>
      <dl class="facts top-facts">
        {hello && (
          <div class="top-model">
            <dt>Model</dt>
            <dd title={`Version ${hello.model.version}, ${countOf(hello.labels.length, "label")}`}>
              {hello.model.name}
            </dd>
          </div>
        )}
        <div>
          <dt>Detected</dt>
          <dd title="Detected frames a second over all streams">
            {formatFps(phase.name === "open" ? totalFps(streams) : undefined)} fps
          </dd>
        </div>
      </dl>
      <span class={`badge badge-${phase.name}`} role="status">
        {phase.name === "open" ? "connected" : phase.name === "connecting" ? "connecting" : "disconnected"}
      </span>
    </header>
  );
}
