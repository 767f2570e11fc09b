// What a stream is: where its pictures come from, and how it is doing.
import type { MultiboxError } from "../errors.ts";
import type { DropCause } from "./frame.ts";

/** Where a stream's pictures come from. */
export interface StreamConfig {
  readonly id: string;
  /** `rtsp(s)://`, `http(s)://`, or the path of a file. May hold a password: never print it, see `redactUrl`. */
  readonly url: string;
  /** Files only. true: played in real time over and over, as a camera would; false: every frame once, as fast as it goes. */
  readonly loop: boolean;
  /** RTSP only. */
  readonly transport: "tcp" | "udp";
}

/** `misconfigured`: it cannot work as configured (wrong password, no such path); it is tried again, but slowly. */
export type StreamState = "connecting" | "live" | "stalled" | "retrying" | "misconfigured" | "ended";

/** How a stream is doing. */
export interface StreamStatus {
  readonly config: StreamConfig;
  readonly state: StreamState;
  /** When the state began, in milliseconds since the epoch. */
  readonly since: number;
  readonly error?: MultiboxError | undefined;
  readonly size?: { readonly width: number; readonly height: number } | undefined;
}

/** The books of a stream: `decoded = detected + inFlight + sum(dropped)` at every moment. */
export interface StreamCounts {
  readonly decoded: number;
  readonly detected: number;
  readonly inFlight: number;
  readonly dropped: Readonly<Partial<Record<DropCause, number>>>;
}

const SCHEME = /^([a-z][a-z0-9+.-]*):\/\//i;
const SCHEMES = ["rtsp", "rtsps", "http", "https"] as const;

/** The kind of source that a URL or path names, or undefined for a scheme that is not allowed. */
export function schemeOf(url: string): (typeof SCHEMES)[number] | "file" | undefined {
  const scheme = SCHEME.exec(url)?.[1]?.toLowerCase();
  if (scheme === undefined) return "file";
  return SCHEMES.find((known) => known === scheme);
}

/** A camera or a looped file: the newest frame wins. A file that is played once is not live: no frame is dropped. */
export function isLive(config: StreamConfig): boolean {
  return schemeOf(config.url) !== "file" || config.loop;
}

/**
 * The URL without user name and password, for logs, messages and answers. Passwords are often written with `@ : / #`
 * in them, unescaped, so the user info ends at the last `@`; only a URL that cannot have one is left whole.
 */
export function redactUrl(url: string): string {
  const scheme = SCHEME.exec(url)?.[0];
  if (scheme === undefined) return url;
  const rest = url.slice(scheme.length);
  const authority = rest.split(/[/?#]/, 1)[0]!;
  const end = /[@:]/.test(authority) ? rest.lastIndexOf("@") : -1;
  return end < 0 ? url : `${scheme}${rest.slice(end + 1)}`;
}

/** Takes every trace of the URL's user info out of a text, a line of ffmpeg's for example. */
export function redactText(text: string, url: string): string {
  if (redactUrl(url) === url) return text;
  const userInfo = url.slice(SCHEME.exec(url)![0].length, url.lastIndexOf("@"));
  const password = userInfo.slice(userInfo.indexOf(":") + 1);
  return [url, userInfo, password, encodeURIComponent(password)]
    .filter((secret) => secret.length > 0)
    .reduce((clear, secret) => clear.replaceAll(secret, "***"), text);
}
