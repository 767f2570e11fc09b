// What ffmpeg is told for a stream: how its input is opened, by scheme, and how its pictures are to come out.
import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { MultiboxError, systemCode } from "../errors.ts";
import type { FfmpegInput } from "./ffmpeg.ts";
import { fileConfinement, onlySelfContained } from "./file-formats.ts";
import { FILE_INPUT, fileOutputs } from "./file-clock.ts";
import type { Ffmpeg } from "./find-ffmpeg.ts";
import { readingOptions, type SourceReading } from "./http-images.ts";
import { openRtspTunnel, type RtspTunnel } from "./rtsp-tunnel.ts";
import { isLive, schemeOf, type StreamConfig } from "./stream.ts";
import { redactUrl } from "../redact.ts";

/** Where URLs of some streams may lead to. */
export interface AddressRules {
  readonly apply: (url: string) => boolean;
  /** An address of the host that was checked; fails with ADDRESS_FORBIDDEN or HOST_UNKNOWN. */
  readonly check: (host: string) => Promise<string>;
  /** A proxy that connects to checked addresses alone. */
  readonly proxyUrl: string;
}

export interface Input extends FfmpegInput {
  readonly url: string;
  /** What it goes through; to be closed with the run. */
  readonly tunnel?: RtspTunnel;
}

/** The input as ffmpeg takes it. Fails where it is clear beforehand that it cannot be opened. */
export async function inputOf(
  config: StreamConfig,
  ffmpeg: Pick<Ffmpeg, "takesScripts">,
  rules?: AddressRules,
  /** The tunnel has ended the connection; its `refusal` says why. */
  onRefused?: () => void,
  reading: SourceReading = {},
): Promise<Input> {
  const checked = rules?.apply(config.url) === true ? rules : undefined;
  const scheme = schemeOf(config.url);
  if (scheme !== "file" && CONTROL.test(config.url)) throw controlCharacter(config.url);
  switch (scheme) {
    case "rtsp":
    case "rtsps":
      return checked
        ? checkedRtsp(config, ffmpeg, checked, onRefused)
        : rtspInput(escapeUserInfo(config.url), config.transport, ffmpeg);
    case "http":
    case "https":
      return withReading(
        checked ? await checkedHttp(config, checked) : { url: escapeUserInfo(config.url), options: httpOptions() },
        // image2 opens its address without the proxy. A stream of the configuration may have become one of the API.
        checked && reading.as === "snapshots" ? {} : reading,
        config,
      );
    case "file":
      await checkFile(config.url);
      return { url: `file:${resolve(config.url)}`, options: fileOptions(config) };
    default:
      throw new MultiboxError(
        "STREAM_BAD_SCHEME",
        `"${redactUrl(config.url)}" has a scheme that is not allowed.`,
        "Use rtsp://, rtsps://, http://, https://, or the path of a file.",
      );
  }
}

function withReading(input: Input, reading: SourceReading, config: StreamConfig): Input {
  return { ...input, options: [...readingOptions(reading, config), ...(input.options ?? [])] };
}

/** Such a URL would put lines of its own into what ffmpeg sends. */
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f]/;

function controlCharacter(url: string): MultiboxError {
  const sentence = `${JSON.stringify(redactUrl(url))} holds a control character, which no URL can.`;
  return new MultiboxError("STREAM_BAD_URL", sentence, "Give the URL without it, or percent-encode it.");
}

/**
 * Raw pictures with their times, through one pipe. Without `passthrough` frames would be doubled, without the time base
 * their times rounded to the frame rate, without `-flush_packets` each would come one late. Rotation stored in the
 * file is applied by ffmpeg; the shape of its pixels is left alone.
 */
export function outputOptions(config: StreamConfig, ffmpeg: Ffmpeg, maxWidth: number): string[] {
  const width = `'min(iw,${maxWidth})'`;
  const height = `'if(gt(iw,${maxWidth}),max(1,round(ih*${maxWidth}/iw)),ih)'`;
  // Its URL is not among a camera's arguments then, and the list of processes has to show which is which.
  const title = redactUrl(config.url) === config.url ? [] : ["-metadata", `title=${redactUrl(config.url)}`];
  if (schemeOf(config.url) === "file")
    return [
      ...fileOutputs(ffmpeg.syncOption, { filters: sampling(config), width, height, flags: "bilinear" }),
      ...FLUSH,
      ...title,
    ];
  const filters = [...CAMERA_FILTERS, ...sampling(config), `scale=w=${width}:h=${height}:flags=bilinear`];
  return [
    ..."-map 0:V:0 -an -sn -dn -filter:v".split(" "),
    filters.join(","),
    ffmpeg.syncOption,
    ..."passthrough -enc_time_base 1:90000 -c:v rawvideo -threads 1 -pix_fmt yuv420p".split(" "),
    ..."-f nut -write_index 0".split(" "),
    ...FLUSH,
    ...title,
  ];
}

const FLUSH = ["-flush_packets", "1"];

/**
 * At most `maxFps` pictures a second: the first of each stretch of `1 / maxFps`, counted from zero and not from the last one
 * that was taken, because cameras' times tremble, and a picture that comes a hair too early would cost a whole interval.
 * Times that jump back begin another stretch. What is left out never goes through the pipe.
 */
function sampling({ maxFps }: StreamConfig): string[] {
  if (maxFps === undefined) return [];
  return [`select='1-eq(floor(t*${maxFps}),floor(prev_selected_t*${maxFps}))'`];
}

/**
 * A camera sets its clock back, or ahead by more than 10 seconds, for which it would have been restarted: its times continue from where they
 * were, a moment later; else ffmpeg would let them stand still until they are reached again.
 */
const STEADY =
  "setpts='st(0,ld(0)+if(lte(PTS,PREV_INPTS)+gt(PTS-PREV_INPTS,10/TB),PREV_INPTS-PTS+0.04/TB,0));PTS+ld(0)'";
/** Says when pictures of another size begin, see `changeOf`, and lets nothing else pass. */
const WATCH = "split[main][watch];[watch]select=0,showinfo,nullsink;[main]null";
/**
 * A camera is joined in mid-sentence, and some decoders show grey or green until the first key frame. Some cameras never
 * send one (they refresh a picture bit by bit), so they are not waited for endlessly.
 */
const WHOLE = "select='gte(selected_n,1)+eq(pict_type,I)+gte(n,250)'";
const CAMERA_FILTERS = [STEADY, WATCH, WHOLE];

type Options = readonly (readonly [name: string, value: string])[];

function asArguments(options: Options): string[] {
  return options.flatMap(([name, value]) => [`-${name}`, value]);
}

const whitelist = (protocols: string): string[] => ["-protocol_whitelist", protocols];

/**
 * Look at a stream for a second at most, and not for its frame rate at all. Two threads: each one more holds back one
 * more frame, and a core's worth of threads for each of many cameras would be waste.
 */
const FEW_THREADS = ["-threads", "2"];
const LOOK_BRIEFLY: Options = [
  ["fflags", "+discardcorrupt"],
  ["analyzeduration", "1000000"],
  ["fpsprobesize", "0"],
];
const CAMERA_OPTIONS = [...asArguments(LOOK_BRIEFLY), ...FEW_THREADS];

const RTSP_PROTOCOLS = "rtsp,rtsps,rtp,udp,tcp,tls,crypto";
/** Within the tunnel, which speaks TLS itself, and has no UDP. */
const TUNNEL_PROTOCOLS = "rtsp,tcp";

/**
 * No `-timeout`: it takes several times as long as it says, and means something else in ffmpeg 4. See supervise.ts. A URL
 * with a secret goes into a script, which hands packets on as they come; an ffmpeg of 4.x has it among its arguments.
 */
function rtspInput(
  url: string,
  transport: StreamConfig["transport"],
  ffmpeg: Pick<Ffmpeg, "takesScripts">,
  protocols = RTSP_PROTOCOLS,
): Input {
  const options: Options = [
    ["protocol_whitelist", protocols],
    ["rtsp_transport", transport],
    ["allowed_media_types", "video"],
    ...LOOK_BRIEFLY,
  ];
  if (redactUrl(url) === url || !ffmpeg.takesScripts)
    return { url, options: [...asArguments(options), ...FEW_THREADS] };
  const lines = options.map(([name, value]) => `option ${name} ${value}`);
  return {
    url,
    script: ["ffconcat version 1.0", `file ${quoted(url)}`, ...lines, ""].join("\n"),
    options: [...whitelist(`${protocols},pipe`), "-f", "concat", "-safe", "0", ...CAMERA_OPTIONS],
  };
}

/** As a script has it: only a quote ends it, and only a line's end the line. */
function quoted(url: string): string {
  return `'${url.replaceAll(/[\r\n]/g, encodeURIComponent).replaceAll("'", String.raw`'\''`)}'`;
}

function httpOptions(protocols = "http,https,tls,tcp,crypto"): string[] {
  return [...whitelist(protocols), ...CAMERA_OPTIONS];
}

/**
 * Through a tunnel to the address that was checked, so that ffmpeg has no name to resolve, and no camera can redirect it; over
 * TCP, because over UDP a camera may name any address to send to.
 */
async function checkedRtsp(
  config: StreamConfig,
  ffmpeg: Pick<Ffmpeg, "takesScripts">,
  rules: AddressRules,
  onRefused?: () => void,
): Promise<Input> {
  const { before, host, after } = splitHost(escapeUserInfo(config.url));
  const [, scheme, userInfo] = /^(rtsps?):\/\/(.*)$/is.exec(before)!;
  const [, port, path] = /^(?::(\d+))?(.*)$/s.exec(after)!;
  const tls = scheme!.toLowerCase() === "rtsps";
  const address = await rules.check(host);
  const tunnel = await openRtspTunnel({
    address,
    port: Number(port ?? (tls ? 322 : 554)),
    host,
    tls,
    ...(onRefused && { onRefused }),
  });
  const url = `rtsp://${userInfo}127.0.0.1:${tunnel.port}${path}`;
  return { ...rtspInput(url, "tcp", ffmpeg, TUNNEL_PROTOCOLS), tunnel };
}

/**
 * Through the proxy, which checks what ffmpeg connects to. Playlists would pass it by: of HLS ffmpeg opens any protocol that a variant names,
 * and HTTP itself needs TCP. So only formats are let in that name nothing else.
 */
async function checkedHttp(config: StreamConfig, rules: AddressRules): Promise<Input> {
  const url = escapeUserInfo(config.url);
  await rules.check(splitHost(url).host);
  const options = [...httpOptions("http,https,tls,tcp,httpproxy"), "-http_proxy", rules.proxyUrl];
  return { url, options: [...options, ...onlySelfContained()] };
}

/** The host that a camera's URL names, IPv6 addresses in brackets. */
export function hostOf(url: string): string {
  return splitHost(escapeUserInfo(url)).host;
}

/** Of a URL whose user info is escaped. */
function splitHost(url: string): { before: string; host: string; after: string } {
  const [, before, host, after] = /^([a-z]+:\/\/(?:[^/?#]*@)?)(\[[^\]]*\]|[^/?#:@]*)(.*)$/is.exec(url)!;
  return { before: before!, host: host!, after: after! };
}

/** A file that is played once keeps its own times; one that is looped has none, its times rise on and on from 0. */
function fileOptions(config: StreamConfig): string[] {
  const time = isLive(config) ? ["-re", "-stream_loop", "-1", ...FEW_THREADS] : ["-copyts"];
  return [...fileConfinement(), ...FILE_INPUT, ...time];
}

/** Fails with a sentence where the file is not there, not readable, empty, or no file. */
export async function checkFile(path: string): Promise<void> {
  try {
    const stats = await stat(path);
    if (!stats.isFile()) {
      throw new MultiboxError(
        "FILE_NOT_READABLE",
        `"${redactUrl(path)}" is not a file.`,
        "Give the path of one video file.",
      );
    }
    await access(path, constants.R_OK);
    if (stats.size === 0) throw new MultiboxError("STREAM_EMPTY", `"${path}" is empty.`);
  } catch (error) {
    if (error instanceof MultiboxError) throw error;
    if (systemCode(error) === "ENOENT" || systemCode(error) === "ENOTDIR") {
      throw new MultiboxError("FILE_NOT_FOUND", `There is no file "${redactUrl(path)}".`, "", { cause: error });
    }
    throw new MultiboxError("FILE_NOT_READABLE", `"${redactUrl(path)}" cannot be read: ${systemCode(error)}.`, "", {
      cause: error,
    });
  }
}

/**
 * The URL with its user info as ffmpeg takes it: percent-encoded, as a `/ ? #` in it would end the host. In what is a
 * URL as it stands, codes stay what they are. What is none was written with a bare password, up to the last `@`; so
 * was one with an `@` where no camera has any: in a fragment, or in a query that follows the host.
 */
export function escapeUserInfo(url: string): string {
  const start = url.indexOf("://") + 3;
  const rest = url.slice(start);
  const isUrl = URL.canParse(url) && !/#.*@|^[^/]*\?.*@/s.test(rest);
  const end = (isUrl ? rest.split(/[/?#]/, 1)[0]! : rest).lastIndexOf("@");
  if (end < 0) return url;
  const escape = isUrl ? escapeRest : encodeURIComponent;
  const userInfo = rest
    .slice(0, end)
    .replace(/^[^:]+/, (user) => escape(user))
    .replace(/(?<=:).+/s, (password) => escape(password));
  return url.slice(0, start) + userInfo + rest.slice(end);
}

/** Not decoded and encoded again: a code may be a byte of another character set than UTF-8. */
function escapeRest(text: string): string {
  return text.replace(/%[0-9a-f]{2}|[^%]+|%/gi, (part) => (/^%./.test(part) ? part : encodeURIComponent(part)));
}
