// Which streams may be opened over the API.
import { MultiboxError } from "../../errors.ts";
import { type AddressRules, hostOf } from "../../pipeline/source-input.ts";
import { schemeOf } from "../../pipeline/stream.ts";
import { isRedacted, redactUrl } from "../../redact.ts";
import { checkLabels } from "../socket/client.ts";
import { allowedFile } from "../access/file-access.ts";

export interface StreamLimits {
  readonly fileRoots: readonly string[];
  /** Of the server's model. */
  readonly labels: readonly string[];
  /** Where URLs may lead to; anywhere when absent. */
  readonly addresses?: AddressRules | undefined;
}

interface Wanted {
  readonly url?: string | undefined;
  readonly model?: string | null | undefined;
  readonly labels?: readonly string[] | null | undefined;
  readonly limits?: Readonly<Record<string, unknown>> | null | undefined;
}

/** A change without the URL where it only gives back what was read here: secrets are not shown, and must not be lost by that. */
export function withoutShownUrl<T extends Wanted>(patch: T, current: string): T {
  if (patch.url === undefined || patch.url === current || patch.url !== redactUrl(current)) return patch;
  const { url: _, ...rest } = patch;
  return rest as T;
}

/**
 * A stream, or a change of one, as it may be. A file's path is made absolute, its links followed. Fails with
 * STREAM_BAD_SCHEME, STREAM_BAD_URL, ADDRESS_FORBIDDEN, FILE_NOT_ALLOWED, FILE_NOT_FOUND or LABEL_UNKNOWN.
 */
export async function permitted<T extends Wanted>(wanted: T, limits: StreamLimits): Promise<T> {
  const { fileRoots, labels, addresses } = limits;
  if (!wanted.model) checkLabels([...(wanted.labels ?? []), ...Object.keys(wanted.limits ?? {})], labels);
  if (wanted.url === undefined) return wanted;
  if (isRedacted(wanted.url)) {
    const hint = "Give the URL with its secrets; to change something else, leave out `url`.";
    throw new MultiboxError("STREAM_BAD_URL", `"${wanted.url}" has *** in place of a secret.`, hint);
  }
  const scheme = schemeOf(wanted.url);
  if (scheme === undefined) {
    throw new MultiboxError(
      "STREAM_BAD_SCHEME",
      `"${redactUrl(wanted.url)}" cannot be a stream: only rtsp, rtsps, http, https and paths of files can.`,
      "For a file, give its path alone as `url`.",
    );
  }
  if (scheme === "file") return { ...wanted, url: await allowedFile(wanted.url, fileRoots) };
  // ffmpeg's connections are checked when they are made; this only says so at once.
  if (addresses?.apply(wanted.url) === true) await addresses.check(hostOf(wanted.url)).catch(exceptUnknown);
  return wanted;
}

/** A name that nobody knows yet may be known later. */
function exceptUnknown(error: unknown): void {
  if (!(error instanceof MultiboxError && error.code === "HOST_UNKNOWN")) throw error;
}
