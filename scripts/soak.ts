// `npm run soak`: a real server whose cameras fail at random for as long as is asked; its books, states, memory and children are watched.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { random } from "../src/model/random.ts";
import { startMultibox } from "../test/support/multibox.ts";
import { childrenOf, isRunning } from "../test/support/processes.ts";
import { startClients } from "./soak/clients.ts";
import { openStreams } from "./soak/streams.ts";
import { torment } from "./soak/faults.ts";
import { Watch } from "./soak/watch.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "20" },
    streams: { type: "string", default: "8" },
    seed: { type: "string", default: "1" },
  },
});
const [minutes, count, seed] = [Number(values.minutes), Number(values.streams), Number(values.seed)];

/** Short, so that many stalls fit in; long enough for a busy machine to open a camera. */
const STALL_SECONDS = 8;

const folder = mkdtempSync(join(tmpdir(), "multibox-soak-"));
const args = ["--no-demo", "--stall-seconds", String(STALL_SECONDS), "--log-level", "warn"];
const multibox = await startMultibox([...args, "--data-dir", join(folder, "data"), "--file-roots", folder]);
const watch = new Watch(multibox);
console.log(`${multibox.ready.engine}, ${count} streams, ${minutes} minutes, seed ${seed}, server ${multibox.pid}\n`);
const streams = await openStreams(multibox, count, folder);
const clients = await startClients(multibox, random(seed + 1000), watch);
try {
  const until = performance.now() + minutes * 60_000;
  const tormented = streams.map((stream, i) => torment({ multibox, stream, draw: random(seed + i), until, watch }));
  await watch.run(minutes, clients);
  const results = await Promise.all(tormented);
  await watch.settle(streams);
  watch.report(results, clients);
} finally {
  clients.close();
  const children = childrenOf(multibox.pid);
  const { code } = await multibox.stop();
  watch.expect(code === 0, `the server ended with ${code}`);
  watch.expect(!children.some(isRunning), "an ffmpeg outlived the server");
  for (const { camera } of streams) await camera?.close();
  rmSync(folder, { recursive: true });
}
for (const failure of watch.failures) console.log(`FAILED: ${failure}`);
console.log(watch.failures.length === 0 ? "\nAll is well." : `\n${watch.failures.length} failures.`);
process.exitCode = watch.failures.length === 0 ? 0 : 1;
