// The frame of the page: header, notices, and the view that the address names.
import { useEffect, useState } from "preact/hooks";
import type { JSX } from "preact";
import { Header } from "./header.tsx";
import type { PageLive } from "./page-live.ts";
import { LiveView } from "./live-view.tsx";
import { Notices } from "./notices.tsx";
import { parseRoute, routeHash } from "./route.ts";
import { useStore } from "./store.ts";
import { TokenPrompt } from "./token-prompt.tsx";

export function App({ live }: { readonly live: PageLive }): JSX.Element {
  const state = useStore(live.state);
  const [open, setOpen] = useState(() => parseRoute(location.hash).stream);

  useEffect(() => {
    const follow = (): void => setOpen(parseRoute(location.hash).stream);
    globalThis.addEventListener("hashchange", follow);
    return () => globalThis.removeEventListener("hashchange", follow);
  }, []);

  const show = (stream: string | undefined): void => {
    if (stream !== open) location.hash = routeHash(stream);
  };

  return (
    <div class={`page ${open === undefined ? "" : "page-full"} ${state.phase.name === "open" ? "" : "page-offline"}`}>
      <Header state={state} />
      <Notices live={live} state={state} />
      <main>
        {state.needsToken ? (
          <TokenPrompt connecting={state.phase.name === "connecting"} onToken={() => live.connect()} />
        ) : (
          <LiveView live={live} state={state} open={open} onOpen={show} />
        )}
      </main>
    </div>
  );
}
