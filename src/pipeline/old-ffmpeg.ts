// What an ffmpeg older than 5.1, such as the one that npm installs, means for a network stream.
import { MultiboxError } from "../errors.ts";
import { redactUrl } from "../redact.ts";
import type { Ffmpeg } from "./find-ffmpeg.ts";
import { schemeOf, type StreamConfig } from "./stream.ts";

const HINT = "Install ffmpeg 5.1 or newer on the server, or set FFMPEG_PATH to one.";

/** A warning, FFMPEG_OLD, about a network stream that an old ffmpeg plays; undefined for files and for a newer ffmpeg. */
export function oldFfmpegWarning({ url }: StreamConfig, ffmpeg: Ffmpeg | undefined): MultiboxError | undefined {
  if (!ffmpeg?.warning || schemeOf(url) === "file") return undefined;
  const sentence = `ffmpeg ${ffmpeg.version} on the server is older than 5.1: network streams may fail or lose frames, and TLS and host names may not work.`;
  return new MultiboxError("FFMPEG_OLD", sentence, HINT);
}

/**
 * The error, FFMPEG_OLD, where an old ffmpeg crashed before the first frame of a network stream: builds of that age that are linked
 * statically crash when they look up a host name. Undefined for every other end.
 */
export function oldFfmpegCrash(
  { url }: StreamConfig,
  signal: NodeJS.Signals | null,
  ffmpeg: Ffmpeg | undefined,
): MultiboxError | undefined {
  if (!ffmpeg?.warning || signal !== "SIGSEGV" || schemeOf(url) === "file") return undefined;
  const sentence = `ffmpeg ${ffmpeg.version} crashed (SIGSEGV) while it opened "${redactUrl(url)}": builds older than 5.1 may not be able to look up host names.`;
  return new MultiboxError("FFMPEG_OLD", sentence, `${HINT} Or give the camera's IP address in place of its name.`);
}
