// Starts the page: reads the token, opens the connection, draws the app, and watches for what pauses it.
import { render } from "preact";
import { createCall } from "./api.ts";
import { App } from "./app.tsx";
import { createCapturesApi } from "./captures/captures-api.ts";
import { ImageCache } from "./captures/image-cache.ts";
import { ProposalBoard } from "./captures/proposal-board.ts";
import { Review } from "./captures/review.ts";
import { Saves } from "./captures/saves.ts";
import { JobBoard } from "./jobs/job-board.ts";
import { createJobsApi } from "./jobs/jobs-api.ts";
import { ModelBoard } from "./models/model-board.ts";
import { createModelsApi } from "./models/models-api.ts";
import { parseFilter } from "./filter.ts";
import { createPageLive } from "./page-live.ts";
import { loadToken, saveToken, splitToken } from "./token.ts";
import "./style/base.css";
import "./style/controls.css";
import "./style/live.css";
import "./style/captures.css";
import "./style/jobs.css";
import "./style/models.css";

const FILTER_KEY = "multibox-filter";
const POLL_MS = 1500;

takeToken();

const base = new URL(".", location.href).href;
const call = createCall(base, () => loadToken(sessionStorage), fetch.bind(globalThis));
const live = createPageLive(base, call, parseFilter(localStorage.getItem(FILTER_KEY)));
const captures = createCapturesApi(call);
const saves = new Saves({
  api: captures,
  timers: {
    setTimer: (callback, ms) => window.setTimeout(callback, ms),
    clearTimer: (timer) => window.clearTimeout(timer),
  },
  storage: sessionStorage,
});
const review = new Review(captures, saves);
const images = new ImageCache((id) => captures.capturePicture(id), {
  create: (image) => URL.createObjectURL(image),
  revoke: (url) => URL.revokeObjectURL(url),
});

const proposals = new ProposalBoard(captures);
const models = new ModelBoard(createModelsApi(base, call));
const jobs = new JobBoard(createJobsApi(base, () => loadToken(sessionStorage), call));

live.state.watch(({ filter }) => localStorage.setItem(FILTER_KEY, JSON.stringify(filter)));
live.setHidden(document.hidden);
document.addEventListener("visibilitychange", () => live.setHidden(document.hidden));
globalThis.addEventListener("online", () => live.connect());
let wasOpen = false;
live.state.watch(({ phase }) => {
  const isOpen = phase.name === "open";
  // The server is back, or the page was loaded again: what is not saved is sent.
  if (isOpen && !wasOpen) saves.retry();
  wasOpen = isOpen;
});
globalThis.addEventListener("beforeunload", (event) => {
  saves.flush();
  if (saves.state.value.unsaved.length > 0) event.preventDefault();
});
globalThis.addEventListener("hashchange", () => {
  if (takeToken()) live.connect();
});
setInterval(() => {
  if (!document.hidden && live.state.value.phase.name === "open") void live.refresh();
}, POLL_MS);

render(
  <App
    live={live}
    review={review}
    captures={captures}
    proposals={proposals}
    images={images}
    jobs={jobs}
    models={models}
  />,
  document.getElementById("app")!,
);
live.connect();

/** A token in the address bar ends up in bookmarks, histories and screenshots. Whether there was one. */
function takeToken(): boolean {
  const { href, token } = splitToken(location.href);
  if (token === undefined) return false;
  saveToken(sessionStorage, token);
  history.replaceState(null, "", href);
  return true;
}
