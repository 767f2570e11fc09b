// An answer that stays the same: its bytes are made once, compressed once for clients that take gzip, and told by a tag.
import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { Context } from "hono";
import { namesTag } from "./entity-tag.ts";

export interface StaticAnswerOptions {
  /** Content-Type. */
  readonly type: string;
  /** It may be kept, but not used again without asking, when absent. */
  readonly cacheControl?: string;
  /** ETag without quotes; made of the bytes when absent. */
  readonly tag?: string;
}

type Bytes = Uint8Array<ArrayBuffer>;

/** In bytes. Less does not become smaller by more than the headers of it. */
const WORTH = 1024;
const COMPRESSIBLE = /^(?:text\/|application\/(?:json|javascript|manifest\+json)|image\/svg)/;
const compress = promisify(gzip);

export class StaticAnswer {
  readonly tag: string;
  readonly #bytes: Bytes;
  readonly #type: string;
  readonly #cacheControl: string;
  #compressed: Promise<Bytes> | undefined;

  constructor(content: string | Uint8Array, options: StaticAnswerOptions) {
    this.#bytes = new Uint8Array(typeof content === "string" ? Buffer.from(content) : content);
    this.#type = options.type;
    this.#cacheControl = options.cacheControl ?? "no-cache";
    this.tag = options.tag ?? createHash("sha256").update(this.#bytes).digest("base64url").slice(0, 22);
  }

  /** 200, or 304 where the client has it. */
  async respond(c: Context): Promise<Response> {
    const isCompressible = this.#bytes.length >= WORTH && COMPRESSIBLE.test(this.#type);
    const isCompressed = isCompressible && takesGzip(c.req.header("Accept-Encoding"));
    const tags = { plain: this.tag, gzip: `${this.tag}-gzip` };
    const asked = c.req.header("If-None-Match") ?? "";
    c.header("ETag", `"${isCompressed ? tags.gzip : tags.plain}"`);
    c.header("Cache-Control", this.#cacheControl);
    if (isCompressible) c.header("Vary", "Accept-Encoding", { append: true });
    if (namesTag(asked, tags.plain) || namesTag(asked, tags.gzip)) return c.body(null, 304);
    c.header("Content-Type", this.#type);
    if (!isCompressed) return c.body(this.#bytes);
    c.header("Content-Encoding", "gzip");
    this.#compressed ??= compress(this.#bytes, { level: 9 }).then((bytes) => new Uint8Array(bytes));
    return c.body(await this.#compressed);
  }
}

/** `gzip`, but not `gzip;q=0`. */
function takesGzip(header = ""): boolean {
  const [, q] = /(?:^|,)\s*gzip\s*(?:;\s*q=([\d.]+))?\s*(?:,|$)/i.exec(header) ?? ["", "0"];
  return q === undefined || Number(q) > 0;
}
