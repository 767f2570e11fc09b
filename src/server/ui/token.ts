// The token that a server on an open address asks for: taken out of the address bar, kept for this tab only, in no address.

const KEY = "multibox-token";

/** Where the token is kept; `sessionStorage` in a browser. */
export interface TokenStore {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

/**
 * The address without `#token=...`, and the token that it held. It stands behind the `#`, because that part is never
 * sent: a server, a proxy and their logs do not see it.
 */
export function splitToken(href: string): { readonly href: string; readonly token: string | undefined } {
  const url = new URL(href);
  const given = new URLSearchParams(url.hash.slice(1)).get("token");
  if (given === null) return { href, token: undefined };
  url.hash = "";
  return { href: url.href, token: given };
}

export function loadToken(store: TokenStore): string | undefined {
  return store.getItem(KEY) ?? undefined;
}

export function saveToken(store: TokenStore, token: string): void {
  store.setItem(KEY, token);
}

/** The address of the detections beside the page's own; a browser's WebSocket sends no headers, so a ticket stands for the token. */
export function socketUrl(base: string, ticket: string | undefined): string {
  const url = new URL("v1/detections", base);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.hash = "";
  url.search = ticket === undefined ? "" : new URLSearchParams({ ticket }).toString();
  return url.href;
}
