// `multibox token`: works on the database of the data folder, whether a server runs on it or not.
import type { Scope } from "../server/access/caller.ts";
import * as tokens from "../server/access/token-table.ts";
import { closeDatabase, type Db } from "../server/database/sqlite.ts";
import { openStore, storePath } from "../server/database/store.ts";
import { storeError } from "../server/database/store-error.ts";

interface TokenOptions {
  readonly dataDir: string;
  readonly json: boolean;
}

export interface CreateOptions extends TokenOptions {
  readonly name: string;
  readonly scope: Scope;
  readonly streams?: readonly string[] | undefined;
  /** Milliseconds since the epoch. */
  readonly expiresAt?: number | undefined;
}

/** Prints the token alone on standard output, so that a script can take it, and what it is on standard error. */
export function createToken({ dataDir, json, ...wanted }: CreateOptions): void {
  withStore(dataDir, (db) => {
    const { token, info } = tokens.createToken(db, wanted);
    if (json) {
      console.log(JSON.stringify({ token, ...shown(info) }));
      return;
    }
    console.error(`The token "${info.name}" (${describe(info)}); it is shown this once:`);
    console.log(token);
  });
}

export function listTokens({ dataDir, json }: TokenOptions): void {
  withStore(dataDir, (db) => {
    const list = tokens.listTokens(db);
    if (json) {
      console.log(JSON.stringify(list.map(shown), null, 2));
      return;
    }
    if (list.length === 0) console.log("There is no token. `multibox token create NAME` makes one.");
    for (const info of list) console.log(`${info.id}  ${info.name}\n  ${describe(info)}`);
  });
}

export function revokeToken(which: string, { dataDir, json }: TokenOptions): void {
  withStore(dataDir, (db) => {
    const info = tokens.revokeToken(db, which);
    if (json) console.log(JSON.stringify(shown(info)));
    else console.log(`The token "${info.name}" (${info.id}) is revoked.`);
  });
}

function withStore(dataDir: string, use: (db: Db) => void): void {
  const path = storePath(dataDir);
  const db = openStore(path);
  try {
    use(db);
  } catch (error) {
    throw storeError(error, path);
  } finally {
    closeDatabase(db);
  }
}

const isoOf = (time: number | undefined): string | null => (time === undefined ? null : new Date(time).toISOString());

function shown({ id, name, scope, streams, ...times }: tokens.TokenInfo): object {
  return {
    id,
    name,
    scope,
    streams: streams ?? "*",
    created: isoOf(times.createdAt),
    expires: isoOf(times.expiresAt),
    revoked: isoOf(times.revokedAt),
    used: isoOf(times.usedAt),
  };
}

function describe({ scope, streams, createdAt, expiresAt, revokedAt, usedAt }: tokens.TokenInfo): string {
  const parts = [
    scope,
    streams ? `streams ${streams.join(", ")}` : "all streams",
    `made ${isoOf(createdAt)}`,
    expiresAt === undefined ? "" : `${expiresAt <= Date.now() ? "expired" : "expires"} ${isoOf(expiresAt)}`,
    revokedAt === undefined ? "" : `revoked ${isoOf(revokedAt)}`,
    usedAt === undefined ? "" : `last used ${isoOf(usedAt)}`,
  ];
  return parts.filter(Boolean).join("; ");
}
