// Tokens in the database: made, listed, revoked, and recognised. Only a digest of each is kept.
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { MultiboxError } from "../../errors.ts";
import { SCOPES, type Caller, type Scope } from "./caller.ts";
import { show } from "../api/explain.ts";
import { StreamId } from "../protocol.ts";
import type { Store } from "../store.ts";

export interface NewToken {
  readonly name: string;
  readonly scope: Scope;
  /** Ids, also of streams that do not exist yet; all streams when absent. */
  readonly streams?: readonly string[] | undefined;
  /** Milliseconds since the epoch; never when absent. */
  readonly expiresAt?: number | undefined;
}

export interface TokenInfo extends NewToken {
  /** The first part of the token, which is no secret. */
  readonly id: string;
  readonly createdAt: number;
  readonly revokedAt?: number | undefined;
  /** To the minute. */
  readonly usedAt?: number | undefined;
}

const PREFIX = "mbx";
/** `mbx_ID_SECRET`. 192 random bits: no dictionary helps, so a plain digest is as good as a slow one. */
const SHAPE = /^mbx_([0-9a-f]{12})_([A-Za-z0-9_-]{32})$/;
const USED_EVERY_MS = 60_000;

const Row = z.object({
  id: z.string(),
  name: z.string(),
  digest: z.string().length(64),
  scope: z.enum(SCOPES),
  streams: z.string().nullable(),
  created_at: z.number(),
  expires_at: z.number().nullable(),
  revoked_at: z.number().nullable(),
  used_at: z.number().nullable(),
});
type Row = z.infer<typeof Row>;

export class Tokens {
  readonly #store: Store;
  readonly #clock: { now(): number };

  constructor(store: Store, clock: { now(): number } = Date) {
    this.#store = store;
    this.#clock = clock;
  }

  /** The token itself is in the answer and nowhere else. Fails with TOKEN_NAME_TAKEN or TOKEN_INVALID. */
  create(wanted: NewToken): { readonly token: string; readonly info: TokenInfo } {
    checkNew(wanted, this.#clock.now());
    const id = randomBytes(6).toString("hex");
    const token = `${PREFIX}_${id}_${randomBytes(24).toString("base64url")}`;
    this.#store.transact(() => {
      if (this.#valid().some(({ name }) => name === wanted.name)) {
        throw new MultiboxError(
          "TOKEN_NAME_TAKEN",
          `There is a token "${wanted.name}" already.`,
          "Choose another name, or revoke that one first.",
        );
      }
      this.#store.db
        .prepare(
          "INSERT INTO tokens (id, name, digest, scope, streams, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .run(
          id,
          wanted.name,
          digest(token).toString("hex"),
          wanted.scope,
          wanted.streams ? JSON.stringify(wanted.streams) : null,
          this.#clock.now(),
          wanted.expiresAt ?? null,
        );
    });
    return { token, info: this.#info(id) };
  }

  /** The newest last. */
  list(): TokenInfo[] {
    return this.#rows("SELECT * FROM tokens ORDER BY created_at, rowid").map(infoOf);
  }

  /** By id or name. What is revoked stays in the list. Fails with TOKEN_UNKNOWN. */
  revoke(which: string): TokenInfo {
    const row =
      this.#rows("SELECT * FROM tokens WHERE id = ?", which)[0] ?? this.#valid().find(({ name }) => name === which);
    if (!row) {
      throw new MultiboxError(
        "TOKEN_UNKNOWN",
        `There is no token ${JSON.stringify(which)}.`,
        "`multibox token list` shows names and ids.",
      );
    }
    this.#store.db
      .prepare("UPDATE tokens SET revoked_at = coalesce(revoked_at, ?) WHERE id = ?")
      .run(this.#clock.now(), row.id);
    return this.#info(row.id);
  }

  /** Whether one was ever made: from then on they are asked for, also when all are revoked. */
  any(): boolean {
    return this.#rows("SELECT * FROM tokens LIMIT 1").length > 0;
  }

  /** Whether there is one that lets anybody in. */
  anyValid(): boolean {
    return this.#valid().length > 0;
  }

  /** Whose token it is. Takes the same time wherever a wrong one differs from a right one. */
  find(token: string): Caller | undefined {
    const id = SHAPE.exec(token)?.[1];
    const row = id === undefined ? undefined : this.#rows("SELECT * FROM tokens WHERE id = ?", id)[0];
    if (!row || !timingSafeEqual(Buffer.from(row.digest, "hex"), digest(token)) || !isValid(row, this.#clock.now()))
      return undefined;
    this.#use(row);
    const streams = row.streams === null ? undefined : new Set(JSON.parse(row.streams) as string[]);
    return { name: row.name, scope: row.scope, streams, tokenId: row.id };
  }

  /** Whether a token that was right when a connection began still is. */
  isValid(id: string): boolean {
    const row = this.#rows("SELECT * FROM tokens WHERE id = ?", id)[0];
    return row !== undefined && isValid(row, this.#clock.now());
  }

  /** A disk that is full must not lock anyone out. */
  #use({ id, used_at }: Row): void {
    const now = this.#clock.now();
    if (used_at !== null && Math.abs(now - used_at) < USED_EVERY_MS) return;
    try {
      this.#store.db.prepare("UPDATE tokens SET used_at = ? WHERE id = ?").run(now, id);
    } catch {
      // It is told again with the next request.
    }
  }

  #valid(): Row[] {
    return this.#rows("SELECT * FROM tokens").filter((row) => isValid(row, this.#clock.now()));
  }

  #info(id: string): TokenInfo {
    return infoOf(this.#rows("SELECT * FROM tokens WHERE id = ?", id)[0]!);
  }

  #rows(sql: string, ...values: readonly string[]): Row[] {
    return z.array(Row).parse(this.#store.db.prepare(sql).all(...values));
  }
}

function checkNew({ name, scope, streams, expiresAt }: NewToken, now: number): void {
  const invalid = (sentence: string, hint: string): MultiboxError => new MultiboxError("TOKEN_INVALID", sentence, hint);
  if (!/^[\w.@ -]{1,64}$/.test(name) || name.trim() !== name) {
    throw invalid(
      `${JSON.stringify(name)} cannot be a token's name.`,
      "It has 1 to 64 letters, digits, blanks and . - _ @.",
    );
  }
  const wrong = streams?.find((stream) => !StreamId.safeParse(stream).success);
  if (wrong !== undefined) throw invalid(`${show(wrong)} cannot be a stream's id.`, "Give ids, not URLs.");
  if (streams && scope === "admin")
    throw invalid("A token of scope admin cannot be limited to some streams.", "Leave --streams out, or use write.");
  if (expiresAt !== undefined && !(expiresAt > now))
    throw invalid("The token would have expired already.", "Give a time to come.");
}

const digest = (token: string): Buffer => createHash("sha256").update(token).digest();

const isValid = ({ expires_at, revoked_at }: Row, now: number): boolean =>
  revoked_at === null && (expires_at === null || expires_at > now);

function infoOf(row: Row): TokenInfo {
  return {
    id: row.id,
    name: row.name,
    scope: row.scope,
    streams: row.streams === null ? undefined : (JSON.parse(row.streams) as string[]),
    createdAt: row.created_at,
    expiresAt: row.expires_at ?? undefined,
    revokedAt: row.revoked_at ?? undefined,
    usedAt: row.used_at ?? undefined,
  };
}
