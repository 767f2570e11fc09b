// Starts the page: reads the token, opens the connection, draws the app, and watches for what pauses it.
import { render } from "preact";
import { createApi } from "./api.ts";
import { App } from "./app.tsx";
import { Connection } from "./connection.ts";
import { parseFilter } from "./filter.ts";
import { Live } from "./live.ts";
import { loadToken, saveToken, socketUrl, splitToken } from "./token.ts";
import "./style/base.css";
import "./style/controls.css";
import "./style/live.css";

const FILTER_KEY = "multibox-filter";
const POLL_MS = 1500;

const { href, token } = splitToken(location.href);
if (token !== undefined) {
  saveToken(sessionStorage, token);
  // A token in the address bar ends up in bookmarks, histories and screenshots.
  history.replaceState(null, "", href);
}

const base = new URL(".", location.href).href;
const live = new Live({
  api: createApi(base, () => loadToken(sessionStorage), fetch.bind(globalThis)),
  connect: (events) =>
    new Connection(
      {
        open: () => new WebSocket(socketUrl(base, loadToken(sessionStorage))),
        now: Date.now,
        random: Math.random,
        setTimer: (callback, ms) => window.setTimeout(callback, ms),
        clearTimer: (timer) => window.clearTimeout(timer),
      },
      events,
    ),
  player: {
    decode: (jpeg) => createImageBitmap(new Blob([jpeg], { type: "image/jpeg" })),
    schedule: (callback) => void requestAnimationFrame(callback),
    now: Date.now,
  },
  filter: parseFilter(localStorage.getItem(FILTER_KEY)),
});

live.state.watch(({ filter }) => localStorage.setItem(FILTER_KEY, JSON.stringify(filter)));
document.addEventListener("visibilitychange", () => live.setHidden(document.hidden));
globalThis.addEventListener("online", () => live.connect());
setInterval(() => {
  if (!document.hidden && live.state.value.phase.name === "open") void live.refresh();
}, POLL_MS);

render(<App live={live} />, document.getElementById("app")!);
live.connect();
