// The token that a server on an open address asks for: taken out of the address bar, kept for this tab only.

const KEY = "multibox-token";

/** Where the token is kept; `sessionStorage` in a browser. */
export interface TokenStore {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

/** The address without `token`, and the token that it held. */
export function splitToken(href: string): { readonly href: string; readonly token: string | undefined } {
  const url = new URL(href);
  const token = url.searchParams.get("token");
  if (token === null) return { href, token: undefined };
  url.searchParams.delete("token");
  return { href: url.href, token };
}

export function loadToken(store: TokenStore): string | undefined {
  return store.getItem(KEY) ?? undefined;
}

export function saveToken(store: TokenStore, token: string): void {
  store.setItem(KEY, token);
}

/** The address of the detections beside the page's own, with the token since a browser's WebSocket sends no headers. */
export function socketUrl(base: string, token: string | undefined): string {
  const url = new URL("v1/detections", base);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.hash = "";
  url.search = token === undefined ? "" : new URLSearchParams({ token }).toString();
  return url.href;
}
