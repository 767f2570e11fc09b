// The page and its assets, as the build left them in one folder.
import { readFile, stat } from "node:fs/promises";
import { resolve, sep } from "node:path";
import type { Context } from "hono";
import { getMimeType } from "hono/utils/mime";
import { MultiboxError } from "../errors.ts";
import { StaticAnswer } from "./api/static-answer.ts";

/** Answers any GET that no other route has taken. Fails with PAGE_NOT_BUILT or NOT_FOUND. */
export function servePage(uiDir: string): (c: Context) => Promise<Response> {
  const root = resolve(uiDir);
  /** By file. A build has few, and they are small. */
  const answers = new Map<string, StaticAnswer>();
  return async (c) => {
    const path = c.req.path;
    const file = resolve(root, path === "/" ? "index.html" : `.${path}`);
    const found = file.startsWith(root + sep) ? await stat(file).catch(() => undefined) : undefined;
    if (!found?.isFile()) throw path === "/" ? notBuilt() : notFound(c.req.method, path);
    const tag = `${found.size.toString(36)}-${Math.round(found.mtimeMs).toString(36)}`;
    const known = answers.get(file);
    if (known?.tag === tag) return known.respond(c);
    const answer = new StaticAnswer(await readFile(file), {
      type: getMimeType(file) ?? "application/octet-stream",
      // Vite puts a hash into the names of assets, so what has such a name never changes.
      cacheControl: path.startsWith("/assets/") ? "public, max-age=31536000, immutable" : "no-cache",
      tag,
    });
    answers.set(file, answer);
    return answer.respond(c);
  };
}

export function notFound(method: string, path: string): MultiboxError {
  return new MultiboxError(
    "NOT_FOUND",
    `There is nothing at ${method} ${path}.`,
    "The page is at /, the streams are at /v1/streams.",
  );
}

function notBuilt(): MultiboxError {
  return new MultiboxError(
    "PAGE_NOT_BUILT",
    "The page has not been built.",
    "Run `npm run build`; the API works without.",
  );
}
