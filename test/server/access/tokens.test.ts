// Tokens in the database: kept as digests, recognised, limited, expired and revoked, by two processes at once.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createToken, listTokens, type NewToken, revokeToken } from "../../../src/server/access/token-table.ts";
import { Tokens } from "../../../src/server/access/tokens.ts";
import { closeDatabase, type Db } from "../../../src/server/database/sqlite.ts";
import { openStore, startStore, storePath } from "../../../src/server/database/store.ts";
import { memoryStore } from "../../support/memory-store.ts";

interface Clock {
  time: number;
  now(): number;
}

interface Setup {
  readonly db: Db;
  readonly clock: Clock;
  /** What the server lets in, by now. */
  readonly tokens: () => Promise<Tokens>;
  readonly create: (wanted: NewToken) => ReturnType<typeof createToken>;
}

async function withTokens(run: (setup: Setup) => Promise<void>): Promise<void> {
  const store = memoryStore();
  const clock: Clock = { time: 1000, now: () => clock.time };
  const loaded = await Tokens.load(store, clock);
  try {
    await run({
      db: store.db,
      clock,
      tokens: async () => {
        await loaded.refresh();
        return loaded;
      },
      create: (wanted) => createToken(store.db, wanted, clock.time),
    });
  } finally {
    await store.close();
  }
}

test("a token is found by itself alone, with its scope and its streams", async () => {
  await withTokens(async ({ create, tokens }) => {
    const { token, info } = create({ name: "door", scope: "write", streams: ["a", "b"] });
    expect(token).toMatch(/^mbx_[0-9a-f]{12}_[\w-]{32}$/);
    const known = await tokens();
    expect(known.find(token)).toEqual({
      name: "door",
      scope: "write",
      streams: new Set(["a", "b"]),
      tokenId: info.id,
    });
    const last = token.at(-1) === "A" ? "B" : "A";
    for (const wrong of [
      token.slice(0, -1),
      `${token.slice(0, -1)}${last}`,
      `${token} `,
      `mbx_${info.id}_`,
      "",
      info.id,
    ])
      expect(known.find(wrong)).toBeUndefined();
  });
});

test("it is valid until it expires or is revoked; from the first one on tokens are asked for", async () => {
  await withTokens(async ({ db, clock, create, tokens }) => {
    const none = await tokens();
    expect([none.any(), none.anyValid()]).toEqual([false, false]);
    const { token, info } = create({ name: "a", scope: "read", expiresAt: 2000 });
    const other = create({ name: "b", scope: "read" });
    clock.time = 2000;
    const expired = await tokens();
    expect([expired.find(token), expired.isValid(info.id)]).toEqual([undefined, false]);
    expect(revokeToken(db, "b", 2000)).toMatchObject({ name: "b", revokedAt: 2000 });
    const revoked = await tokens();
    expect([revoked.find(other.token), revoked.isValid(other.info.id)]).toEqual([undefined, false]);
    expect([revoked.any(), revoked.anyValid()]).toEqual([true, false]);
    clock.time = 3000;
    expect(revokeToken(db, other.info.id, 3000).revokedAt).toBe(2000);
    expect(create({ name: "b", scope: "read" }).info.id).not.toBe(other.info.id);
    expect(listTokens(db).map(({ name }) => name)).toEqual(["a", "b", "b"]);
  });
});

test("its use is noted, to the minute", async () => {
  await withTokens(async ({ db, clock, create, tokens }) => {
    const { token } = create({ name: "a", scope: "read" });
    const usedAt = (): number | undefined => listTokens(db)[0]!.usedAt;
    expect(usedAt()).toBeUndefined();
    (await tokens()).find(token);
    await tokens();
    clock.time += 59_999;
    (await tokens()).find(token);
    await tokens();
    expect(usedAt()).toBe(1000);
    clock.time += 1;
    (await tokens()).find(token);
    await tokens();
    expect(usedAt()).toBe(61_000);
  });
});

test.each([
  [{ name: "" }, "TOKEN_INVALID", '""'],
  [{ name: "a\nb" }, "TOKEN_INVALID", String.raw`a\nb`],
  [{ name: " a" }, "TOKEN_INVALID", '" a"'],
  [{ name: "a", streams: ["rtsp://me:s3cret@cam"] }, "TOKEN_INVALID", "stream"],
  [{ name: "a", scope: "admin", streams: ["x"] }, "TOKEN_INVALID", "admin"],
  [{ name: "a", expiresAt: 1000 }, "TOKEN_INVALID", "expired"],
  [{ name: "taken" }, "TOKEN_NAME_TAKEN", "taken"],
] as const)("%o is refused with %s", async (wanted, code, words) => {
  await withTokens(async ({ db, create }) => {
    create({ name: "taken", scope: "read" });
    const again = (): unknown => create({ scope: "read", ...wanted });
    expect(again).toThrow(expect.objectContaining({ code, message: expect.stringContaining(words) }));
    expect(again).not.toThrow("s3cret");
    expect(listTokens(db)).toHaveLength(1);
  });
});

test("the file holds no token; what another process does is seen at once, and a locked database lets in whom it did", async () => {
  const folder = mkdtempSync(join(tmpdir(), "multibox-tokens-"));
  const path = storePath(folder);
  const server = await startStore(path);
  const command = openStore(path);
  try {
    const here = await Tokens.load(server);
    const { token } = createToken(command, { name: "a", scope: "read" });
    await here.refresh();
    expect(here.find(token)?.name).toBe("a");
    const secret = token.split("_").slice(2).join("_");
    for (const file of [path, `${path}-wal`]) expect(readFileSync(file).includes(secret)).toBe(false);
    command.exec("BEGIN EXCLUSIVE");
    await here.refresh();
    expect(here.find(token)?.name).toBe("a");
    command.exec("COMMIT");
    revokeToken(command, "a");
    await here.refresh();
    expect(here.find(token)).toBeUndefined();
  } finally {
    await server.close();
    closeDatabase(command);
    rmSync(folder, { recursive: true });
  }
});
