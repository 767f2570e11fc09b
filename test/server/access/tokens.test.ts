// Tokens in the database: kept as digests, recognised, limited, expired and revoked, by two processes at once.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openStore, storePath } from "../../../src/server/store.ts";
import { Tokens } from "../../../src/server/access/tokens.ts";

function withTokens(run: (tokens: Tokens, clock: { time: number }) => void): void {
  const store = openStore(":memory:");
  const clock = { time: 1000, now: () => clock.time };
  try {
    run(new Tokens(store, clock), clock);
  } finally {
    store.close();
  }
}

test("a token is found by itself alone, with its scope and its streams", () => {
  withTokens((tokens) => {
    const { token, info } = tokens.create({ name: "door", scope: "write", streams: ["a", "b"] });
    expect(token).toMatch(/^mbx_[0-9a-f]{12}_[\w-]{32}$/);
    expect(tokens.find(token)).toEqual({
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
      expect(tokens.find(wrong)).toBeUndefined();
  });
});

test("it is valid until it expires or is revoked; from the first one on tokens are asked for", () => {
  withTokens((tokens, clock) => {
    expect([tokens.any(), tokens.anyValid()]).toEqual([false, false]);
    const { token, info } = tokens.create({ name: "a", scope: "read", expiresAt: 2000 });
    const other = tokens.create({ name: "b", scope: "read" });
    clock.time = 2000;
    expect([tokens.find(token), tokens.isValid(info.id)]).toEqual([undefined, false]);
    expect(tokens.revoke("b")).toMatchObject({ name: "b", revokedAt: 2000 });
    expect([tokens.find(other.token), tokens.isValid(other.info.id)]).toEqual([undefined, false]);
    expect([tokens.any(), tokens.anyValid()]).toEqual([true, false]);
    clock.time = 3000;
    expect(tokens.revoke(other.info.id).revokedAt).toBe(2000);
    expect(tokens.create({ name: "b", scope: "read" }).info.id).not.toBe(other.info.id);
    expect(tokens.list().map(({ name }) => name)).toEqual(["a", "b", "b"]);
  });
});

test("its use is noted, to the minute", () => {
  withTokens((tokens, clock) => {
    const { token } = tokens.create({ name: "a", scope: "read" });
    const usedAt = (): number | undefined => tokens.list()[0]!.usedAt;
    expect(usedAt()).toBeUndefined();
    tokens.find(token);
    clock.time += 59_999;
    tokens.find(token);
    expect(usedAt()).toBe(1000);
    clock.time += 1;
    tokens.find(token);
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
] as const)("%o is refused with %s", (wanted, code, words) => {
  withTokens((tokens) => {
    tokens.create({ name: "taken", scope: "read" });
    const create = (): unknown => tokens.create({ scope: "read", ...wanted });
    expect(create).toThrow(expect.objectContaining({ code, message: expect.stringContaining(words) }));
    expect(create).not.toThrow("s3cret");
    expect(tokens.list()).toHaveLength(1);
  });
});

test("the file holds no token, and what another process does is seen at once", () => {
  const folder = mkdtempSync(join(tmpdir(), "multibox-tokens-"));
  const [server, command] = [openStore(storePath(folder)), openStore(storePath(folder))];
  try {
    const [here, there] = [new Tokens(server), new Tokens(command)];
    const { token } = there.create({ name: "a", scope: "read" });
    expect(here.find(token)?.name).toBe("a");
    const secret = token.split("_").slice(2).join("_");
    for (const file of [storePath(folder), `${storePath(folder)}-wal`])
      expect(readFileSync(file).includes(secret)).toBe(false);
    there.revoke("a");
    expect(here.find(token)).toBeUndefined();
  } finally {
    server.close();
    command.close();
    rmSync(folder, { recursive: true });
  }
});
