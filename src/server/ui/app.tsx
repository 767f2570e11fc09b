// The frame of the page: header, notices, and the view that the address names.
import { useEffect, useState } from "preact/hooks";
import type { JSX } from "preact";
import type { CapturesApi } from "./captures/captures-api.ts";
import { CapturesView } from "./captures/captures-view.tsx";
import type { ImageCache } from "./captures/image-cache.ts";
import type { ProposalBoard } from "./captures/proposal-board.ts";
import type { Review } from "./captures/review.ts";
import { UnsavedNotice } from "./captures/unsaved-notice.tsx";
import type { JobBoard } from "./jobs/job-board.ts";
import { JobsView } from "./jobs/jobs-view.tsx";
import type { ModelBoard } from "./models/model-board.ts";
import { ModelsView } from "./models/models-view.tsx";
import { Header } from "./header.tsx";
import type { PageLive } from "./page-live.ts";
import { LiveView } from "./live-view.tsx";
import { Notices } from "./notices.tsx";
import { parseRoute, routeHash, type View } from "./route.ts";
import { useStore } from "./store.ts";
import { TokenPrompt } from "./token-prompt.tsx";

interface AppProps {
  readonly live: PageLive;
  readonly review: Review;
  readonly captures: CapturesApi;
  readonly proposals: ProposalBoard;
  readonly images: ImageCache;
  readonly jobs: JobBoard;
  readonly models: ModelBoard;
}

export function App({ live, review, captures, proposals, images, jobs, models }: AppProps): JSX.Element {
  const state = useStore(live.state);
  const [{ view, item }, setRoute] = useState(() => parseRoute(location.hash));

  useEffect(() => {
    const follow = (): void => setRoute(parseRoute(location.hash));
    globalThis.addEventListener("hashchange", follow);
    return () => globalThis.removeEventListener("hashchange", follow);
  }, []);

  const show = (to: View, wanted: string | undefined): void => {
    if (to !== view || wanted !== item) location.hash = routeHash(to, wanted);
  };

  return (
    <div
      class={`page ${view === "live" && item !== undefined ? "page-full" : ""} ${state.phase.name === "open" ? "" : "page-offline"}`}
    >
      <Header state={state} view={view} />
      <Notices live={live} state={state} />
      <UnsavedNotice review={review} />
      <main>
        {state.needsToken ? (
          <TokenPrompt connecting={state.phase.name === "connecting"} onToken={() => live.connect()} />
        ) : view === "captures" ? (
          <CapturesView
            review={review}
            proposals={proposals}
            live={state}
            images={images}
            picture={captures.capturePicture}
            labels={state.hello?.labels ?? []}
            open={item}
            onOpen={(id) => show("captures", id)}
          />
        ) : view === "jobs" ? (
          <JobsView board={jobs} live={live} state={state} />
        ) : view === "models" ? (
          <ModelsView board={models} live={live} state={state} />
        ) : (
          <LiveView live={live} state={state} open={item} onOpen={(stream) => show("live", stream)} />
        )}
      </main>
    </div>
  );
}
