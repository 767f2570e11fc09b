// What a stream is: where its pictures come from, and how it is doing.
import { MultiboxError } from "../errors.ts";
import type { DropCause } from "./frame.ts";

/** Where a stream's pictures come from. */
export interface StreamConfig {
  readonly id: string;
  /** `rtsp(s)://`, `http(s)://`, or the path of a file. May hold a password: never print it, see redact.ts. */
  readonly url: string;
  /** Files only. true: played in real time over and over, as a camera would; false: every frame once, as fast as it goes. */
  readonly loop: boolean;
  /** RTSP only. */
  readonly transport: "tcp" | "udp";
  /** At most so many frames a second are decoded into the pipeline; all of them when absent. */
  readonly maxFps?: number | undefined;
  /** The weight of the stream where there are more frames than the detector can take; 1 when absent. */
  readonly priority?: number | undefined;
  /** The model that looks at it; the server's when absent. */
  readonly model?: string | undefined;
  /** Only these labels are kept; all when absent. */
  readonly labels?: readonly string[] | undefined;
  /** Detections below it are left out, 0..1. */
  readonly minScore?: number | undefined;
  /** By label. */
  readonly limits?: Readonly<Record<string, LabelLimits>> | undefined;
  /** Only detections that stand in one of these are kept; all when absent. */
  readonly include?: readonly Polygon[] | undefined;
  /** Detections that stand in one of these are left out. */
  readonly exclude?: readonly Polygon[] | undefined;
  /** Which of its frames are kept to be learned from; none when absent. */
  readonly capture?: CaptureRules | undefined;
  /** It is kept, with its books, but nothing is decoded. */
  readonly paused?: boolean | undefined;
}

/** Any of the rules keeps a frame. Times are in seconds. */
export interface CaptureRules {
  readonly everySeconds?: number | undefined;
  /** A detection whose score lies between: what the model is unsure of. */
  readonly score?: { readonly from: number; readonly to: number } | undefined;
  /** One of these labels comes into sight. */
  readonly labels?: readonly string[] | undefined;
  /** There are more or fewer objects of a label. */
  readonly countChanges?: boolean | undefined;
  /** Of all frames, by chance, 0..1. */
  readonly share?: number | undefined;
  /** After a frame is kept, none is for so long; 1 when absent. */
  readonly minGapSeconds?: number | undefined;
  /** Frames whose perceptual hash differs in at most so many of 64 bits from a kept one's are left out; 4 when absent. */
  readonly skipSimilar?: number | undefined;
}

/** What detections of one label must be to be kept. Sizes are a box's share of the picture's area, 0..1. */
export interface LabelLimits {
  readonly minScore?: number | undefined;
  readonly minSize?: number | undefined;
  readonly maxSize?: number | undefined;
}

/** Corners in order, as shares of the picture's width and height, 0..1; the last is joined to the first. */
export type Polygon = readonly (readonly [x: number, y: number])[];

/** A change of a stream's settings: what is absent stays, what is null becomes absent. */
export type StreamPatch = {
  readonly [Name in Exclude<keyof StreamConfig, "id">]?: undefined extends StreamConfig[Name]
    ? StreamConfig[Name] | null
    : StreamConfig[Name];
};

/** The settings after the change. */
export function patched(config: StreamConfig, patch: StreamPatch): StreamConfig {
  const merged = Object.entries({ ...config, ...withoutUndefined(patch), id: config.id });
  return Object.fromEntries(merged.filter(([, value]) => value !== null)) as unknown as StreamConfig;
}

function withoutUndefined(patch: StreamPatch): StreamPatch {
  return Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined));
}

/** Whether the decoder can go on as it is: what else there is to a stream is done with its frames. */
export function sameSource(a: StreamConfig, b: StreamConfig): boolean {
  return a.url === b.url && a.loop === b.loop && a.transport === b.transport && a.maxFps === b.maxFps;
}

/** `misconfigured`: it cannot work as configured (wrong password, no such path); it is tried again, but slowly. */
export type StreamState = "connecting" | "live" | "stalled" | "retrying" | "misconfigured" | "ended" | "paused";

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
 * For a stream that is not there, or that whoever asks may not see. The sentence is the same for both, and lists no others: a token that is
 * limited to some streams must not learn which there are.
 */
export function streamUnknown(id: string): MultiboxError {
  return new MultiboxError(
    "STREAM_UNKNOWN",
    `There is no stream "${id}".`,
    "GET /v1/streams lists those that there are.",
  );
}
