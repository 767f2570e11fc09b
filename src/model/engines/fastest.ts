// The choice that `auto` makes: opens what there may be, times it on this network, keeps the fastest and closes the others.
import { MultiboxError, sentenceOf } from "../../errors.ts";
import { inputShape } from "../graph.ts";
import type { Engine, Network } from "./engine.ts";

/** An engine that may open. */
export interface Candidate<Name extends string> {
  readonly name: Name;
  readonly open: () => Promise<Engine>;
}

/** The engine that was kept, and why. */
export interface Choice<Name extends string> {
  readonly name: Name;
  readonly engine: Engine;
  readonly reason: string;
}

/** Batches are timed at the size that streams are gathered into. */
const BATCH = 8;

/**
 * Where a single candidate opens it is taken as it is, since timing costs time. Fails as the first candidate does where none opens.
 * `now` gives milliseconds.
 */
export async function openFastest<Name extends string>(
  candidates: readonly Candidate<Name>[],
  network: Network,
  now: () => number = () => performance.now(),
): Promise<Choice<Name>> {
  const opened: { name: Name; engine: Engine }[] = [];
  const failures: { name: Name; error: unknown }[] = [];
  for (const { name, open } of candidates) {
    await open().then(
      (engine) => opened.push({ name, engine }),
      (error: unknown) => failures.push({ name, error }),
    );
  }
  const [only] = opened;
  if (!only) throw failures[0]!.error;
  if (opened.length === 1) return { ...only, reason: `it alone opens${failures.map(because).join("")}` };

  const timed: Timed<Name>[] = [];
  for (const { name, engine } of opened) {
    const alone = await timeAlone(engine, network, now).catch(
      (error: unknown) => failures.push({ name, error }) && NaN,
    );
    if (Number.isNaN(alone)) await engine.close();
    else timed.push({ name, engine, alone, together: Infinity });
  }
  timed.sort((a, b) => a.alone - b.alone);
  let best: Timed<Name> | undefined;
  for (const contender of timed) {
    // What takes longer for one picture than another for a batch has lost: SSD512 on a CPU beside a GPU, a GPU that is software.
    if (best && contender.alone > best.together) continue;
    const { name, engine } = contender;
    // A GPU may have memory for one picture and none for eight.
    contender.together = await timeBatch(engine, network, now).catch(
      (error: unknown) => failures.push({ name, error }) && NaN,
    );
    if (Number.isNaN(contender.together)) await engine.close();
    else if (!best || contender.together < best.together) best = contender;
  }
  if (!best) throw failures[0]!.error;
  const losers = timed.filter((contender) => contender !== best && !Number.isNaN(contender.together));
  for (const { engine } of losers) await engine.close();
  const reason = `it answered ${BATCH} pictures in ${shown(best.together)}${losers.map(behind).join("")}`;
  return { name: best.name, engine: best.engine, reason: `${reason}${failures.map(because).join("")}` };
}

interface Timed<Name extends string> {
  readonly name: Name;
  readonly engine: Engine;
  /** Milliseconds for one picture. */
  readonly alone: number;
  /** Milliseconds for a batch; Infinity where it was not timed, NaN where it failed. */
  together: number;
}

function behind({ name, alone, together }: Timed<string>): string {
  return Number.isFinite(together) ? `, ${name} in ${shown(together)}` : `, ${name} one in ${shown(alone)}`;
}

function because({ name, error }: { name: string; error: unknown }): string {
  const sentence = error instanceof MultiboxError ? error.message : sentenceOf(error);
  return `; ${name} does not run: ${sentence.replace(/\.$/, "")}`;
}

function shown(milliseconds: number): string {
  return `${milliseconds < 10 ? milliseconds.toFixed(1) : Math.round(milliseconds)} ms`;
}

/** The first run compiles, and does not count. */
async function timeAlone(engine: Engine, network: Network, now: () => number): Promise<number> {
  const picture = pictures(network, 1);
  await engine.run(picture, 1);
  const start = now();
  await engine.run(picture, 1);
  return now() - start;
}

/** The better of two batches, after one that does not count. */
async function timeBatch(engine: Engine, network: Network, now: () => number): Promise<number> {
  const batch = pictures(network, BATCH);
  await engine.run(batch, BATCH);
  let best = Infinity;
  for (let i = 0; i < 2; i++) {
    const start = now();
    await engine.run(batch, BATCH);
    best = Math.min(best, now() - start);
  }
  return best;
}

function pictures({ graph }: Network, count: number): Uint8Array {
  const [, height, width] = inputShape(graph);
  return Uint8Array.from({ length: count * height * width * 3 }, (_, i) => (i * 37) & 255);
}
