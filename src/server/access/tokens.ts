// The tokens that the server lets in: a copy in memory of those in the database, brought up to date before each request.
import { timingSafeEqual } from "node:crypto";
import { callOf } from "../database/database-thread.ts";
import type { Store } from "../database/store.ts";
import type { Caller } from "./caller.ts";
import { digestOf, isValidRow, streamsOf, type TokenRow } from "./token-table.ts";

/** `mbx_ID_SECRET`. 192 random bits: no dictionary helps, so a plain digest is as good as a slow one. */
const SHAPE = /^mbx_([0-9a-f]{12})_([A-Za-z0-9_-]{32})$/;
const USED_EVERY_MS = 60_000;
/** A database that does not answer for longer is not waited for: the copy is used. */
const FRESH_MS = 500;

export class Tokens {
  readonly #store: Store;
  readonly #clock: { now(): number };
  #rows = new Map<string, TokenRow>();
  #version: number | undefined;
  #asking: Promise<void> | undefined;
  /** Begins when the one under way has ended: that one may have read before the caller's change. */
  #next: Promise<void> | undefined;

  private constructor(store: Store, clock: { now(): number }) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Fails with STORE_DAMAGED or STORE_UNAVAILABLE. */
  static async load(store: Store, clock: { now(): number } = Date): Promise<Tokens> {
    const tokens = new Tokens(store, clock);
    await tokens.#read();
    return tokens;
  }

  /**
   * What another process has done to tokens until now is known when this resolves. A database that is locked, damaged or slow lets in
   * whom it let in before: this never fails, and takes half a second at most.
   */
  async refresh(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => (timer = setTimeout(resolve, FRESH_MS)));
    await Promise.race([this.#fresh(), patience]);
    clearTimeout(timer);
  }

  /** Whether one was ever made: from then on they are asked for, also when all are revoked. */
  any(): boolean {
    return this.#rows.size > 0;
  }

  /** Whether there is one that lets anybody in. */
  anyValid(): boolean {
    return [...this.#rows.values()].some((row) => isValidRow(row, this.#clock.now()));
  }

  /** Whose token it is. Takes the same time wherever a wrong one differs from a right one. */
  find(token: string): Caller | undefined {
    const id = SHAPE.exec(token)?.[1];
    const row = id === undefined ? undefined : this.#rows.get(id);
    if (!row || !timingSafeEqual(Buffer.from(row.digest, "hex"), digestOf(token)) || !this.isValid(row.id))
      return undefined;
    this.#use(row);
    const streams = streamsOf(row);
    return { name: row.name, scope: row.scope, streams: streams && new Set(streams), tokenId: row.id };
  }

  /** Whether a token that was right when a connection began still is. */
  isValid(id: string): boolean {
    const row = this.#rows.get(id);
    return row !== undefined && isValidRow(row, this.#clock.now());
  }

  /** A disk that is full must not lock anyone out: where it cannot be noted, it is noted a minute later. */
  #use(row: TokenRow): void {
    const now = this.#clock.now();
    if (row.used_at !== null && Math.abs(now - row.used_at) < USED_EVERY_MS) return;
    this.#rows.set(row.id, { ...row, used_at: now });
    this.#store.ask("useToken", { id: row.id, time: now }, () => undefined);
  }

  #fresh(): Promise<void> {
    if (!this.#asking) return this.#ask();
    return (this.#next ??= this.#asking.then(() => {
      this.#next = undefined;
      return this.#ask();
    }));
  }

  #ask(): Promise<void> {
    return (this.#asking = this.#read()
      .catch(() => undefined)
      .finally(() => (this.#asking = undefined)));
  }

  async #read(): Promise<void> {
    const { version, rows } = await callOf(this.#store, "tokens", this.#version);
    if (rows) this.#rows = new Map(rows.map((row) => [row.id, row]));
    this.#version = version;
  }
}
