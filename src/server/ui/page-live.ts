// The page's state over what a browser has: its WebSocket, its fetch, its picture decoder.
import { createApi, type Call } from "./api.ts";
import { Connection } from "./connection.ts";
import type { Filter } from "./filter.ts";
import { Live } from "./live.ts";
import { loadToken, socketUrl } from "./token.ts";

export type PageLive = Live<ImageBitmap>;

/** `base` is the folder of the page's address. Does nothing until `connect`. */
export function createPageLive(base: string, call: Call, filter: Filter): PageLive {
  const api = createApi(call);
  const openSocket = async (): Promise<WebSocket> => {
    const ticket = loadToken(sessionStorage) === undefined ? undefined : await api.ticket();
    return new WebSocket(socketUrl(base, ticket));
  };
  return new Live({
    api,
    connect: (events) =>
      new Connection(
        {
          open: openSocket,
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
    filter,
  });
}
