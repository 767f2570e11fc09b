// One of our engines in a process of its own, for engines.ts: `node engines-child.js ENGINE PRECISION`.
import { createInterface } from "node:readline";
import { defaultCacheDir } from "../src/cache-dir.ts";
import { sentenceOf } from "../src/errors.ts";
import { readBundle } from "../src/model/bundle.ts";
import type { Engine, Precision } from "../src/model/engines/engine.ts";
import { type NamedEngine, openEngine } from "../src/model/engines/open.ts";
import { prepareProcess } from "../src/model/engines/prepare.ts";
import type { TimingRequest } from "./line-process.ts";

const [name, precision] = process.argv.slice(2) as [NamedEngine, Precision];
const options = { threads: 0, precision, cacheDir: defaultCacheDir() };
await prepareProcess(name, options);
answer({ name });

let open: { folder: string; engine: Engine; pictures: Uint8Array } | undefined;
for await (const line of createInterface({ input: process.stdin })) {
  const { folder, batch, runs } = JSON.parse(line) as TimingRequest;
  try {
    if (open?.folder !== folder) {
      await open?.engine.close();
      const bundle = await readBundle(folder);
      const { width, height } = bundle.spec.input;
      // Noise; the time does not depend on what is on a picture.
      const pictures = Uint8Array.from({ length: 8 * width * height * 3 }, (_, i) => (i * 2654435761) >>> 24);
      open = { folder, engine: (await openEngine(name, bundle, options)).engine, pictures };
    }
    const start = performance.now();
    for (let i = 0; i < runs; i++) await open.engine.run(open.pictures, batch);
    answer({ ms: (performance.now() - start) / runs });
  } catch (error) {
    answer({ error: sentenceOf(error) });
  }
}
await open?.engine.close();

function answer(reply: { name: string } | { ms: number } | { error: string }): void {
  console.log(JSON.stringify(reply));
}
