// The report that a training has left beside its model, as an answer: a page that runs nothing, fetches nothing, and is nobody's origin.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { MultiboxError, systemCode } from "../../errors.ts";
import { type ModelStore, REPORT } from "./model-store.ts";

/** Of routes that answer so, for /openapi.json. */
export const REPORT_ANSWER: { description: string; content: { "text/html": { schema: { type: "string" } } } } = {
  description: "The report.",
  content: { "text/html": { schema: { type: "string" } } },
};

const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; sandbox";

/** Fails with VERSION_UNKNOWN, or with RESULT_UNKNOWN where it has none. */
export async function reportResponse(store: ModelStore, name: string, version: number): Promise<Response> {
  await store.place.require();
  const folder = store.folderOf(name, store.version(name, version).version);
  const html = await readFile(join(folder, REPORT)).catch((cause: unknown) => {
    if (!["ENOENT", "ENOTDIR"].includes(systemCode(cause) ?? "")) throw cause;
    throw new MultiboxError("RESULT_UNKNOWN", `Version ${version} of "${name}" has no report.`);
  });
  const headers = { "content-type": "text/html; charset=utf-8", "content-security-policy": POLICY };
  return new Response(html, { headers });
}
