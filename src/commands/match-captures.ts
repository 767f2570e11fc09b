// Which captures the images of a data set are: tools that label images rename them when they are uploaded.
import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { parse } from "node:path";
import { MultiboxError } from "../errors.ts";
import type { CaptureStore } from "../server/captures/capture-store.ts";
import type { Capture } from "../training/capture.ts";
import { captureFiles } from "../training/capture-set.ts";
import { originalStem } from "../training/time-of-image.ts";
import type { DataPicture } from "../training/truth.ts";

/**
 * The id of each image's capture: by its name, else by the one id that its name ends with (Label Studio's `1a2b3c4d-ID.jpg`), else by
 * the same bytes; undefined for an image that is no capture. Fails with CAPTURE_AMBIGUOUS where an image could be several captures,
 * or two images are the same one.
 */
export async function matchCaptures(
  pictures: readonly DataPicture[],
  store: Pick<CaptureStore, "list" | "folder">,
): Promise<(string | undefined)[]> {
  const captures = store.list();
  const known = new Set(captures.map(({ id }) => id));
  const sameBytes = contentIndex(captures, store.folder);
  const fileOf = new Map<string, string>();
  const ids: (string | undefined)[] = [];
  for (const picture of pictures) {
    const own = parse(picture.file).name;
    const id = known.has(own) ? own : await find(own, picture, captures, sameBytes);
    ids.push(id);
    if (id === undefined) continue;
    const other = fileOf.get(id);
    if (other !== undefined) throw ambiguous(`${other} and ${picture.file} are both the capture "${id}"`);
    fileOf.set(id, picture.file);
  }
  return ids;
}

async function find(
  name: string,
  { file, width, height }: DataPicture,
  captures: readonly Capture[],
  sameBytes: (file: string) => Promise<readonly string[]>,
): Promise<string | undefined> {
  const stem = originalStem(name);
  const named = captures.filter((one) => endsWith(stem, one.id) && one.width === width && one.height === height);
  if (named.length === 1) return named[0]!.id;
  const same = await sameBytes(file);
  const both = named.length === 0 ? same : named.map(({ id }) => id).filter((id) => same.includes(id));
  if (both.length === 1) return both[0];
  const could = both.length > 1 ? both : named.map(({ id }) => id);
  if (could.length === 0) return undefined;
  throw ambiguous(`${file} could be any of the captures ${could.map((id) => `"${id}"`).join(", ")}`);
}

/** The whole name, or a part behind a separator. */
function endsWith(name: string, id: string): boolean {
  return name === id || (name.endsWith(id) && /[-_. ]/.test(name[name.length - id.length - 1]!));
}

/** Files are compared by their digests, but read only where their lengths are equal. */
function contentIndex(captures: readonly Capture[], folder: string): (file: string) => Promise<readonly string[]> {
  const digests = new Map<string, Promise<string>>();
  const digestOf = (file: string): Promise<string> => {
    const known = digests.get(file);
    if (known) return known;
    const digest = readFile(file).then((bytes) => createHash("sha256").update(bytes).digest("hex"));
    digests.set(file, digest);
    return digest;
  };
  return async (file) => {
    const { size } = await stat(file);
    const same: string[] = [];
    for (const { id, bytes } of captures)
      if (bytes === size && (await digestOf(captureFiles(folder, id).picture)) === (await digestOf(file)))
        same.push(id);
    return same;
  };
}

function ambiguous(what: string): MultiboxError {
  const hint = "Give the image the name of its capture, ID.jpg, in the data set.";
  return new MultiboxError("CAPTURE_AMBIGUOUS", `${what}.`, hint);
}
