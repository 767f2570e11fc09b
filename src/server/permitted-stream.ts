// Which streams may be opened over the API.
import { MultiboxError } from "../errors.ts";
import { redactUrl, schemeOf } from "../pipeline/stream.ts";
import { checkLabels } from "./client.ts";
import { allowedFile } from "./file-access.ts";

export interface StreamLimits {
  readonly fileRoots: readonly string[];
  /** Of the server's model. */
  readonly labels: readonly string[];
}

interface Wanted {
  readonly url?: string | undefined;
  readonly model?: string | null | undefined;
  readonly labels?: readonly string[] | null | undefined;
  readonly limits?: Readonly<Record<string, unknown>> | null | undefined;
}

/**
 * A stream, or a change of one, as it may be. A file's path is made absolute, its links followed. Fails with
 * STREAM_BAD_SCHEME, FILE_NOT_ALLOWED, FILE_NOT_FOUND or LABEL_UNKNOWN.
 */
export async function permitted<T extends Wanted>(wanted: T, { fileRoots, labels }: StreamLimits): Promise<T> {
  if (!wanted.model) checkLabels([...(wanted.labels ?? []), ...Object.keys(wanted.limits ?? {})], labels);
  if (wanted.url === undefined) return wanted;
  const scheme = schemeOf(wanted.url);
  if (scheme === undefined) {
    throw new MultiboxError(
      "STREAM_BAD_SCHEME",
      `"${redactUrl(wanted.url)}" cannot be a stream: only rtsp, rtsps, http, https and paths of files can.`,
      "For a file, give its path alone.",
    );
  }
  return scheme === "file" ? { ...wanted, url: await allowedFile(wanted.url, fileRoots) } : wanted;
}
