// Why a source ended: from ffmpeg's exit and its last lines to a code, a sentence and what to do.
import { resolve } from "node:path";
import { MultiboxError } from "../errors.ts";
import type { FfmpegExit } from "./ffmpeg.ts";
import { inputFormat, isResized } from "./ffmpeg-lines.ts";
import { refusedFormat } from "./file-formats.ts";
import type { Ffmpeg } from "./find-ffmpeg.ts";
import { oldFfmpegCrash } from "./old-ffmpeg.ts";
import { schemeOf, type StreamConfig } from "./stream.ts";
import { redactText, redactUrl } from "../redact.ts";

/** What a line of ffmpeg's stands for. The first that is found anywhere in the tail wins: ffmpeg says causes first. */
const CAUSES: readonly (readonly [RegExp, string, string, string])[] = [
  [
    /\b401\b.*Unauthorized/i,
    "STREAM_AUTH_FAILED",
    "refuses the user name or password",
    "Check them in the stream's URL. If they are right, let the camera accept Basic or Digest with MD5: ffmpeg may lack Digest with SHA-256.",
  ],
  [/\b403\b.*Forbidden/i, "STREAM_FORBIDDEN", "forbids access", "Ask for the right to view it."],
  [/\b404\b.*Not Found/i, "STREAM_NOT_FOUND", "does not have this path", "Check the path in the stream's URL."],
  [
    /\b461\b/,
    "STREAM_TRANSPORT_REFUSED",
    "refuses the transport",
    "Set `transport: udp` for this stream, or `tcp` where it is udp.",
  ],
  [
    /Protocol (?:not found|'.*' not on whitelist)/,
    "STREAM_BAD_SCHEME",
    "needs a protocol that this ffmpeg lacks or that is not allowed",
    "Use rtsp://, rtsps://, http://, https://, or the path of a file.",
  ],
  [
    /Connection refused|No route to host|(?:Network|Host) is (?:unreachable|down)|timed out|Failed to resolve|Name or service not known|Temporary failure in name resolution|Connection reset|Network unreachable/i,
    "STREAM_UNREACHABLE",
    "cannot be reached",
    "Check the address and port, and that the device is on.",
  ],
  [/Permission denied/, "FILE_NOT_READABLE", "may not be read", "Give the server's user the right to read it."],
  [
    /Cannot determine format of input stream .* after EOF|\] file:.*: End of file/,
    "STREAM_EMPTY",
    "ended without a single picture",
    "",
  ],
  [
    /moov atom not found/,
    "STREAM_NOT_VIDEO",
    "has no index, which is written last in an MP4: it was cut short, is still being written, or is something else",
    "Copy it again once it is whole.",
  ],
  [
    /matches no streams|does not contain any stream|Invalid data found when processing input|Could not find codec parameters|Decoder .*not found/i,
    "STREAM_NOT_VIDEO",
    "is no video that ffmpeg can read",
    "Try `ffprobe` on it.",
  ],
];

/** ffmpeg itself only says "Input/output error" in the end. */
const UNKNOWN_HOST = /Failed to resolve hostname (\S+): (.+?)\.?$/;

const BROKEN = /partial file|corrupt input packet|Packet corrupt|Truncat|Error splitting|damaged/i;

/** The error that this end means, or undefined for a good one. `decoded` counts the pictures that came. */
export function sourceError(
  config: StreamConfig,
  exit: FfmpegExit,
  decoded: number,
  ffmpeg?: Ffmpeg,
): MultiboxError | undefined {
  const name = `"${redactUrl(config.url)}"`;
  const tail = exit.stderrTail.map((line) => redactText(line, config.url));
  const last = lastWords(tail)
    .replace(`file:${resolve(config.url)}: `, "")
    .replace(`${config.url}: `, "");
  if (exit.tooLargeMb !== undefined) {
    const sentence = `The ffmpeg of ${name} was stopped: it used more than ${exit.tooLargeMb} MiB of memory.`;
    return new MultiboxError("FFMPEG_TOO_LARGE", sentence, "Check what the source sends, and the size of its images.");
  }
  const crash = decoded > 0 ? undefined : oldFfmpegCrash(config, exit.signal, ffmpeg);
  if (crash) return crash;
  if (exit.signal !== null || tail.some((line) => /received signal \d+/.test(line))) {
    const how = exit.signal ?? `exit code ${exit.code}`;
    return new MultiboxError("FFMPEG_DIED", `The ffmpeg of ${name} was killed (${how}): ${tail.slice(-3).join(" | ")}`);
  }
  if (exit.code === 0) {
    if (decoded > 0) return undefined;
    return new MultiboxError("STREAM_EMPTY", `${name} ended without a single picture.`);
  }
  const complaints = tail.filter((line) => !line.includes("[info]"));
  const unknown = complaints.map((line) => UNKNOWN_HOST.exec(line)).find(Boolean);
  if (unknown) {
    const sentence = `${name} cannot be reached: Host ${unknown[1]} was not found (${unknown[2]}).`;
    return new MultiboxError("STREAM_UNREACHABLE", sentence, "Check the host name, and the DNS of this machine.");
  }
  const cause = CAUSES.find(([pattern]) => complaints.some((line) => pattern.test(line)));
  // What broke off in the middle was a video, whatever the last line says.
  if (cause?.[1] === "STREAM_NOT_VIDEO" && decoded > 0) {
    return new MultiboxError("STREAM_TRUNCATED", `${name} broke off after ${decoded} pictures: ${last}.`);
  }
  if (cause) return new MultiboxError(cause[1], `${name} ${cause[2]}: ${last}.`, cause[3]);
  return new MultiboxError("STREAM_FAILED", `ffmpeg failed on ${name} with exit code ${exit.code}: ${last}.`);
}

const NOT_CHECKED =
  "Use the camera's RTSP address, or name the stream in the server's configuration, whose streams may lead anywhere.";
const HOLDS_ITS_IMAGES = "Give a file that holds its images itself: MP4, Matroska, WebM, AVI, MPEG-TS.";

/**
 * The error that a line means at once: ffmpeg can paint a text file as a terminal would, which is no video to anyone, and
 * plays a photo as a video of one frame. To ffmpeg a file of many JPEGs is also one; its name tells.
 */
export function refusalOf(config: StreamConfig, line: string): MultiboxError | undefined {
  const refused = refusedFormat(line);
  const format = refused ?? inputFormat(line) ?? "";
  const name = `"${redactUrl(config.url)}"`;
  if (format === "tty") return new MultiboxError("STREAM_NOT_VIDEO", `${name} is a text.`, "Give a video.");
  const isFile = schemeOf(config.url) === "file";
  const isImage = /^image2$|_pipe$/.test(format) && isFile;
  if (refused !== undefined && !isFile) {
    const sentence = `${name} is a playlist, or no video (${refused}). Playlists are not played where \`forbidPrivateAddresses\` checks a stream.`;
    return new MultiboxError("STREAM_NOT_VIDEO", sentence, NOT_CHECKED);
  }
  if (refused !== undefined && !isImage) {
    const sentence = `${name} is no video, or a list of other files (${refused}).`;
    return new MultiboxError("STREAM_NOT_VIDEO", sentence, HOLDS_ITS_IMAGES);
  }
  if (!isImage || /\.mjpe?g$/i.test(config.url)) return undefined;
  const hint = "Give a video; `multibox detect` looks at pictures.";
  return new MultiboxError("STREAM_NOT_VIDEO", `${name} is a single picture.`, hint);
}

/**
 * The error that a line of a run means which has given pictures: the camera now sends others, of another size or format.
 * ffmpeg would stretch them to the size of the first, and boxes would lie in pictures that no one has. `showinfo` says so: it
 * is set up anew then (see source-input.ts).
 */
export function changeOf(config: StreamConfig, line: string): MultiboxError | undefined {
  if (!/^\[Parsed_showinfo_\d+ @ \w+\] \[info\] config in /.test(line)) return undefined;
  const sentence = `"${redactUrl(config.url)}" sends pictures of another size or format than before.`;
  return new MultiboxError("STREAM_CHANGED", sentence, "It is started again.");
}

/**
 * The error that a line of a rotated file means: its frames change their size. ffmpeg's filters for rotation cannot follow that, and would
 * give parts of frames.
 */
export function rotatedChangeOf(config: StreamConfig, line: string, rotation: number): MultiboxError | undefined {
  if (rotation === 0 || !isResized(line)) return undefined;
  const sentence = `"${redactUrl(config.url)}" is rotated by ${rotation} degrees and changes its image size, which ffmpeg cannot do at once.`;
  return new MultiboxError("VIDEO_SIZE_CHANGES", sentence, "Re-encode it first: `ffmpeg -i IN OUT.mp4`.");
}

/** A file that played to its end and was damaged or cut short: what there was of it has come. */
export function truncationOf(config: StreamConfig, exit: FfmpegExit): MultiboxError | undefined {
  if (exit.code !== 0 || schemeOf(config.url) !== "file") return undefined;
  const line = exit.stderrTail.find((text) => BROKEN.test(text));
  if (line === undefined) return undefined;
  return new MultiboxError("STREAM_TRUNCATED", `"${config.url}" is damaged or cut short: ${withoutTags(line)}.`);
}

function lastWords(tail: readonly string[]): string {
  const line = tail.findLast((text) => /\[(error|fatal|panic)\]/.test(text)) ?? tail.at(-1);
  return line === undefined ? "it said nothing" : withoutTags(line);
}

/** `[rtsp @ 0x55c4] [error] text.` -> `text`; a redacted URL, or a script, in front says nothing either. */
function withoutTags(line: string): string {
  return line.replace(/^(\[[^\]]*\] )+((\*\*\*|pipe:0): )?/, "").replace(/\.$/, "");
}
