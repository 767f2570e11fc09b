// Tokens in the database: made, listed and revoked by `multibox token`. Only a digest of each is kept.
import { createHash, randomBytes } from "node:crypto";
import { z } from "zod";
import { MultiboxError } from "../../errors.ts";
import { type Db, transact } from "../database/sqlite.ts";
import { damaged } from "../database/store-error.ts";
import { SCOPES, type Scope } from "./caller.ts";
import { show } from "../api/explain.ts";
import { StreamId } from "../protocol.ts";

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

const TokenRow = z.object({
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
export type TokenRow = z.infer<typeof TokenRow>;

const PREFIX = "mbx";

/** The newest last. Fails with STORE_DAMAGED where one is not as this program writes them. */
export function tokenRows(db: Db): TokenRow[] {
  const rows = db.prepare("SELECT * FROM tokens ORDER BY created_at, rowid").all();
  const parsed = z.array(TokenRow).safeParse(rows);
  if (parsed.success) return parsed.data;
  const at = parsed.error.issues[0]!.path;
  const { id } = rows[at[0] as number] as { id: string };
  throw damaged("multibox.db", `the token ${show(id)} has no valid ${String(at[1])}`);
}

/** The newest last. */
export function listTokens(db: Db): TokenInfo[] {
  return tokenRows(db).map(infoOf);
}

/** The token itself is in the answer and nowhere else. Fails with TOKEN_NAME_TAKEN or TOKEN_INVALID. */
export function createToken(
  db: Db,
  wanted: NewToken,
  now: number = Date.now(),
): { readonly token: string; readonly info: TokenInfo } {
  checkNew(wanted, now);
  const id = randomBytes(6).toString("hex");
  const token = `${PREFIX}_${id}_${randomBytes(24).toString("base64url")}`;
  const { name, scope, streams, expiresAt = null } = wanted;
  return transact(db, () => {
    if (tokenRows(db).some((row) => row.name === name && isValidRow(row, now))) {
      const hint = "Choose another name, or revoke that one first.";
      throw new MultiboxError("TOKEN_NAME_TAKEN", `There is a token "${name}" already.`, hint);
    }
    const sql =
      "INSERT INTO tokens (id, name, digest, scope, streams, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)";
    const limited = streams ? JSON.stringify(streams) : null;
    db.prepare(sql).run(id, name, digestOf(token).toString("hex"), scope, limited, now, expiresAt);
    return { token, info: infoOf(rowOf(db, id)!) };
  });
}

/** By id or name. What is revoked stays in the list. Fails with TOKEN_UNKNOWN. */
export function revokeToken(db: Db, which: string, now: number = Date.now()): TokenInfo {
  return transact(db, () => {
    const row = rowOf(db, which) ?? tokenRows(db).find((one) => one.name === which && isValidRow(one, now));
    if (!row) {
      const hint = "`multibox token list` shows names and ids.";
      throw new MultiboxError("TOKEN_UNKNOWN", `There is no token ${JSON.stringify(which)}.`, hint);
    }
    db.prepare("UPDATE tokens SET revoked_at = coalesce(revoked_at, ?) WHERE id = ?").run(now, row.id);
    return infoOf(rowOf(db, row.id)!);
  });
}

export function digestOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

export function isValidRow({ expires_at, revoked_at }: TokenRow, now: number): boolean {
  return revoked_at === null && (expires_at === null || expires_at > now);
}

/** Ids, or undefined for all streams. */
export function streamsOf({ streams }: TokenRow): string[] | undefined {
  return streams === null ? undefined : (JSON.parse(streams) as string[]);
}

function rowOf(db: Db, id: string): TokenRow | undefined {
  return tokenRows(db).find((row) => row.id === id);
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

function infoOf(row: TokenRow): TokenInfo {
  return {
    id: row.id,
    name: row.name,
    scope: row.scope,
    streams: streamsOf(row),
    createdAt: row.created_at,
    expiresAt: row.expires_at ?? undefined,
    revokedAt: row.revoked_at ?? undefined,
    usedAt: row.used_at ?? undefined,
  };
}
