// Watches the server of the soak: books, metrics, memory, open files, children and what it prints; a line a minute, and a verdict.
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { StreamInfo } from "../../src/server/protocol.ts";
import { gapOf, type Multibox } from "../../test/support/multibox.ts";
import { childrenOf } from "../../test/support/processes.ts";
import type { SoakClients } from "./clients.ts";
import type { Recovery } from "./faults.ts";
import { PASSWORD, type SoakStream } from "./streams.ts";

interface Sample {
  readonly minute: number;
  readonly rssMb: number;
  readonly files: number;
  readonly children: number;
}

/** Memory is compared with what it was after so many minutes; until then pools and caches fill. */
const WARM_MINUTES = 3;
const MEMORY_LIMIT = 1.1;
/** The longest wait for a stream to be live once all faults are over: longer than any back-off. */
const SETTLE_MS = 120_000;
/** A stream that is well may lose frames to newer ones, or because a busy engine came too late. */
const HARMLESS = ["superseded", "rate", "stale"];

export class Watch {
  readonly failures: string[] = [];
  readonly #multibox: Multibox;
  readonly #samples: Sample[] = [];
  readonly #faults = new Map<string, string>();
  #wellSince: string | undefined;
  #seen = 0;

  constructor(multibox: Multibox) {
    this.#multibox = multibox;
  }

  /** Every kind of failure is told as it comes; not more than a hundred are kept. */
  expect(isSo: boolean, otherwise: string): void {
    if (isSo || this.failures.length >= 100) return;
    this.failures.push(otherwise);
    console.log(`! ${otherwise}`);
  }

  /** What a stream suffers now; an empty text ends that. */
  note(stream: string, fault: string): void {
    if (fault === "") this.#faults.delete(stream);
    else this.#faults.set(stream, fault);
  }

  async run(minutes: number, clients: SoakClients): Promise<void> {
    const start = performance.now();
    let told = 0;
    for (;;) {
      await sleep(5000);
      const minute = (performance.now() - start) / 60_000;
      const streams = await this.#look(minute);
      if (minute >= told + 1) {
        told = Math.floor(minute);
        this.#tell(streams, clients);
      }
      if (minute >= minutes) return;
    }
  }

  /** All faults are over: every stream is live, and its books close. */
  async settle(streams: readonly SoakStream[]): Promise<void> {
    await this.#look(Infinity);
    const deadline = performance.now() + SETTLE_MS;
    // The server may only now notice the last fault: a camera whose images have another size is started again.
    while (performance.now() < deadline && (await this.#multibox.streams()).some(({ state }) => state !== "live"))
      await sleep(500);
    for (const stream of await this.#multibox.streams()) {
      console.log(stream.id.padEnd(8), stream.state, JSON.stringify(stream.counts));
      this.expect(stream.state === "live", `${stream.id} is ${stream.state} at the end`);
    }
    this.expect((await this.#multibox.streams()).length === streams.length, "a stream is missing at the end");
  }

  report(results: readonly (readonly Recovery[])[], { received, missed }: SoakClients): void {
    const faults = [...new Set(results.flat().map(({ fault }) => fault))].toSorted();
    console.log("\nfault            times   recovered in, median and most");
    for (const fault of faults) {
      const own = results.flat().filter((one) => one.fault === fault);
      const seconds = own.map((one) => one.seconds).toSorted((x, y) => x - y);
      const [middle, most] = [seconds[seconds.length >> 1]!, seconds.at(-1)!];
      console.log(
        `${fault.padEnd(16)}${String(seconds.length).padStart(6)}${middle.toFixed(1).padStart(10)} s${most.toFixed(1).padStart(8)} s`,
      );
    }
    for (const name of Object.keys(received))
      console.log(`client "${name}": ${received[name]} messages, ${missed[name]} missed`);
    const warm = this.#samples.filter(({ minute }) => minute >= WARM_MINUTES && minute < WARM_MINUTES + 1);
    const last = this.#samples.slice(-13);
    const then = median(warm.map(({ rssMb }) => rssMb));
    const now = median(last.map(({ rssMb }) => rssMb));
    console.log(
      `\nmemory ${now.toFixed(1)} MB, ${(now / then).toFixed(3)} of minute ${WARM_MINUTES + 1} (${then.toFixed(1)} MB); most open files ${Math.max(...this.#samples.map(({ files }) => files))}`,
    );
    if (this.#samples.at(-1)!.minute < WARM_MINUTES + 2) return;
    this.expect(now <= then * MEMORY_LIMIT, `memory grew from ${then.toFixed(1)} to ${now.toFixed(1)} MB`);
    const files = [warm, last].map((samples) => median(samples.map((sample) => sample.files)));
    this.expect(files[1]! <= files[0]! + 20, `open files grew from ${files[0]} to ${files[1]}`);
  }

  async #look(minute: number): Promise<StreamInfo[]> {
    const streams = await this.#multibox.streams();
    for (const stream of streams)
      this.expect(gapOf(stream) === 0, `the books of ${stream.id} do not close: ${JSON.stringify(stream.counts)}`);
    this.#checkWell(streams[0]!);
    const metrics = await (await this.#multibox.ask("/metrics")).text();
    this.expect(metrics.includes('multibox_frames_decoded_total{stream="cam-0"}'), "/metrics lacks the books");
    const children = childrenOf(this.#multibox.pid).length;
    // One ffmpeg a stream, one more each while the last is ending, the shell that guards them.
    this.expect(children <= 2 * streams.length + 1, `${children} children for ${streams.length} streams`);
    this.#checkOutput();
    const status = readFileSync(`/proc/${this.#multibox.pid}/status`, "utf8");
    const rssMb = Number(/VmRSS:\s+(\d+)/.exec(status)![1]) / 1024;
    const files = readdirSync(`/proc/${this.#multibox.pid}/fd`).length;
    if (Number.isFinite(minute)) this.#samples.push({ minute, rssMb, files, children });
    return streams;
  }

  #checkWell({ id, state, since, counts }: StreamInfo): void {
    if (state === "live") this.#wellSince ??= since;
    if (this.#wellSince === undefined) return;
    this.expect(
      state === "live" && since === this.#wellSince,
      `${id}, which nobody harmed, is ${state} since ${since}`,
    );
    this.#wellSince = since;
    const losses = Object.keys(counts.dropped).filter((cause) => !HARMLESS.includes(cause));
    this.expect(losses.length === 0, `${id}, which nobody harmed, lost frames: ${losses.join()}`);
  }

  /** No stack of calls, and no password. */
  #checkOutput(): void {
    const said = this.#multibox.stderr.slice(this.#seen);
    this.#seen += said.length;
    this.expect(!/\n\s+at .*:\d+:\d+/.test(said), `the server printed a stack: ${said.slice(-1000)}`);
    for (const secret of [PASSWORD, encodeURIComponent(PASSWORD)]) {
      this.expect(!said.includes(secret), "the server printed a password");
    }
  }

  #tell(streams: readonly StreamInfo[], { received }: SoakClients): void {
    const { minute, rssMb, files, children } = this.#samples.at(-1)!;
    const live = streams.filter(({ state }) => state === "live").length;
    const detected = streams.reduce((sum, { fps }) => sum + fps.detected, 0);
    const suffer = [...this.#faults].map(([id, fault]) => `${id} ${fault}`).join(", ");
    console.log(
      `minute ${minute.toFixed(1)}: ${rssMb.toFixed(0)} MB, ${files} files, ${children} children, ${live} of ${streams.length} live, ` +
        `${detected.toFixed(1)} frames/s, ${Object.values(received).reduce((a, b) => a + b, 0)} messages; ${suffer}`,
    );
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
}
